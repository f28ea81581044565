"""A tournament that is spread gives the files of one process, to the last bit."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gexlab.backtest.grid.grid import grid
from gexlab.backtest.tournament import pieces
from gexlab.backtest.tournament.pieces import Piece, computed_elsewhere
from gexlab.backtest.tournament.tournament import tournament
from gexlab.data import Crew, InputFileError, Workers
from gexlab.reports.cli.app import run

MakeMarket = Callable[..., Path]

OWN = '''
from gexlab.strategies import Filter, Past

class Calm(Filter):
    """Long where the last closes lie close together."""

    def inputs(self):
        return {"close": Past("close", 21)}

    def label(self, close):
        return "long" if close.max() / close.min() < 1.05 else "short"
'''
GRID = """
[grid]
filters = ["own.py:Calm", "sign"]
rules = [{ long = "fade", short = "follow" }, { long = "hold", short = "flat" }]
sizings = ["fixed", { name = "turnover-limit", most = 0.5 }]
fees_bps = [0, 2]
fill = ["next_open", "next_close"]
eras = ["2019..2019-12-31", "2019.."]
[tournament]
placebos = 40
folds = { train = 100, test = 60 }
"""
SMALL = """
[grid]
filters = ["own.py:Calm", "sign"]
fill = ["next_open", "next_close"]
[tournament]
placebos = 20
folds = { train = 60, test = 60 }
"""


def _config(make_market: MakeMarket, section: str, sessions: int) -> Path:
    file = make_market(strategies=section, sessions=sessions)
    (file.parent / "own.py").write_text(OWN, encoding="utf-8")
    return file


def _written(out: Path) -> tuple[str, bytes]:
    """Return what a folder says but for the clock."""
    document = (out / "tournament.json").read_text(encoding="utf-8")
    table = pd.read_parquet(out / "trials.parquet")
    said = re.sub(r'"seconds": [\d.]+', "", document)
    return said, pickle.dumps([table[c].to_numpy().tolist() for c in table])


def test_portions_alone_give_what_the_whole_gives(
    make_market: MakeMarket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As workers compute them: from a pickled configuration, everything read anew."""
    config = _config(make_market, SMALL, 180)
    tournament(config, out=tmp_path / "whole")
    seen: list[Piece] = []

    def spread(_: object, function: Any, given: list[Piece], *, progress: Any) -> Iterator[Any]:
        seen.extend(given)
        progress(0, len(given), "dashboard http://127.0.0.1:1")
        for n, piece in enumerate(given, 1):
            yield function(pickle.loads(pickle.dumps(piece)))
            progress(n, len(given), "one piece")

    monkeypatch.setattr(Crew, "spread", spread)
    said: list[tuple[int, int | None, str]] = []
    tournament(
        config,
        out=tmp_path / "apart",
        workers=Workers(2),
        progress=lambda *told: said.append(told),
    )
    assert _written(tmp_path / "apart") == _written(tmp_path / "whole")
    # the trials of two fills; then two filters on each
    assert [piece.drawn is None for piece in seen] == [True] * 2 + [False] * 4
    # where workers can be watched is said, and the portions are counted by the tournament alone
    texts = [what for _, _, what in said]
    assert "dashboard http://127.0.0.1:1" in texts
    assert "one piece" not in texts
    done = [n for n, _, what in said if "dashboard" not in what]
    assert done == sorted(done)
    # data that changed in between are another question
    series = config.parent / "gex.parquet"
    table = pd.read_parquet(series)
    table["value"] *= 1.5
    table.to_parquet(series)
    pieces._arenas.cache_clear()
    with pytest.raises(InputFileError, match="a worker reads other data than the process"):
        computed_elsewhere(seen[0])


@pytest.mark.slow
def test_two_workers_give_the_files_of_one_process(make_market: MakeMarket, tmp_path: Path) -> None:
    """By the command, with --workers."""
    pytest.importorskip("distributed")
    config = _config(make_market, GRID, 320)
    assert run(["tournament", str(config), "--out", str(tmp_path / "one")]) == 0
    assert run(["tournament", str(config), "--out", str(tmp_path / "two"), "--workers", "2"]) == 0
    assert _written(tmp_path / "two") == _written(tmp_path / "one")


def test_underlyings_and_eras_compete_as_the_trials_of_the_grid(make_market: MakeMarket) -> None:
    section = """
[grid]
underlyings = ["SPX", { underlying = "NDX", bars = "ndx.parquet" }]
eras = ["2019..", "2019-03-01.."]
[tournament]
placebos = 20
folds = { train = 60, test = 60 }
"""
    config = make_market(strategies=section, sessions=240)
    bars = pd.read_parquet(config.parent / "bars.parquet")
    prices = ["open", "high", "low", "close"]
    bars[prices] = (1e6 / bars[["open", "low", "high", "close"]]).to_numpy()
    bars.to_parquet(config.parent / "ndx.parquet", index=False)
    found, wanted = tournament(config), grid(config).table
    assert found.underlyings == ("SPX", "NDX")
    assert [e.trial_id for e in found.entries] == [*wanted["trial_id"]]
