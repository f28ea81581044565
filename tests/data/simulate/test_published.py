"""A market simulated into a folder that is in use appears whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from gexlab.data.lake.lake import open_lake
from gexlab.data.simulate import SimulationResult, simulate
from gexlab.data.simulate.market import simulate as room


def _simulated(
    folder: Path, seed: int, name: str = "SIM", *, intraday: int | None = 30
) -> SimulationResult:
    return simulate(
        "S1", years=0.03, seed=seed, lake=folder, contracts=200, underlying=name, intraday=intraday
    )


def _state(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_run_that_fails_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "lake"
    _simulated(folder, 1)
    before = _state(folder)

    def broken(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(room, "_truth_json", broken)
    with pytest.raises(MemoryError):
        _simulated(folder, 2)
    assert _state(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["lake"]


def test_a_second_market_keeps_the_first_ones_chains(tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    _simulated(folder, 1)
    chains = [path.read_bytes() for path in open_lake(folder).chain_files("SIM")]
    result = _simulated(folder, 2, "TWO", intraday=None)
    assert result.lake == folder
    assert result.bars.is_file()
    assert not (folder / "intraday.parquet").exists()  # the first one's
    assert '"underlying": "TWO"' in result.truth_json.read_text(encoding="utf-8")
    assert [path.read_bytes() for path in open_lake(folder).chain_files("SIM")] == chains
    assert open_lake(folder).underlyings() == ["SIM", "TWO"]
    assert not list(folder.glob(".*moving*"))
    fresh = _simulated(tmp_path / "fresh", 2, "TWO", intraday=None)
    assert fresh.bars.read_bytes() == result.bars.read_bytes()
