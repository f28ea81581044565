"""What the checks found is kept by what it was found in, and nothing else is looked at again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from planted_defects import DEFECTS
from synthetic_chains import clean_market, table

from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.lake.writer import write_sessions
from gexlab.data.quality import looks
from gexlab.data.quality.check import coverage, findings
from gexlab.data.quality.finding import Finding
from gexlab.data.quality.thresholds import Thresholds

Looked = list[list[int]]


@pytest.fixture
def chains() -> pd.DataFrame:
    """Return fourteen small sessions, one with crossed quotes, one that repeats another."""
    rng = np.random.default_rng(3)
    made, _ = clean_market(rng, sessions=14)
    made = made[(made.strike >= 4700) & (made.strike <= 5300)].reset_index(drop=True)
    days = sorted(made.session.unique())
    return DEFECTS["crossed"].plant(made, days[4], rng)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GEXLAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> Looked:
    """Return the places of the sessions that were looked at, call by call."""
    seen: Looked = []
    blocks = looks._blocks

    def watched(lake: Lake, name: str, entries: Any, places: Any, **more: Any) -> Any:
        seen.append(list(places))
        return blocks(lake, name, entries, places, **more)

    monkeypatch.setattr(looks, "_blocks", watched)
    return seen


def _lake(folder: Path, chains: pd.DataFrame) -> Lake:
    lake = open_lake(folder, create=True)
    write_sessions(lake, "SPX", table(chains))
    return lake


def _found(lake: Lake, **more: Any) -> list[Finding]:
    return findings(lake, "SPX", calendar="XNYS", **more)


@pytest.mark.usefixtures("cache")
def test_a_second_look_finds_the_same_without_reading(
    tmp_path: Path, chains: pd.DataFrame, looked: Looked
) -> None:
    lake = _lake(tmp_path / "lake", chains)
    first, held = _found(lake), coverage(lake, "SPX")
    assert any(f.check == "crossed_quotes" for f in first)
    assert looked == [list(range(14)), list(range(14))]
    assert _found(lake) == first
    pd.testing.assert_frame_equal(coverage(lake, "SPX"), held)
    # the same chains elsewhere, under limits and rates of their own
    assert _found(_lake(tmp_path / "copy", chains)) == first
    assert len(looked) == 2
    assert _found(lake, rate=0.05) == first
    wide = _found(lake, thresholds=replace(Thresholds(), crossed_quotes=1.0))
    assert wide == [f for f in first if f.check != "crossed_quotes"]
    assert len(looked) == 4


def test_a_new_session_alone_is_looked_at(
    tmp_path: Path, chains: pd.DataFrame, cache: Path, looked: Looked, monkeypatch: Any
) -> None:
    days = sorted(chains.session.unique())
    lake = _lake(tmp_path / "lake", chains[chains.session < days[-1]])
    _found(lake)
    write_sessions(lake, "SPX", table(chains))
    grown = _found(lake.as_it_is_now())
    assert looked == [list(range(13)), [13]]
    # a session that is replaced counts for the ten that are compared with it
    other = chains.copy()
    other.loc[other.session == days[2], "bid"] *= 0.5
    write_sessions(lake, "SPX", table(other))
    replaced = _found(lake.as_it_is_now())
    assert looked[2] == list(range(2, 13))
    monkeypatch.setenv("GEXLAB_CACHE", str(cache / "empty"))
    assert _found(lake.as_it_is_now()) == replaced != grown


@pytest.mark.parametrize("how", ["flipped", "cut", "emptied", "of another form", "a folder"])
def test_damage_is_looked_at_again(
    tmp_path: Path, chains: pd.DataFrame, cache: Path, looked: Looked, how: str
) -> None:
    lake = _lake(tmp_path / "lake", chains)
    first = _found(lake)
    [file] = (cache / "gexlab" / "checks").iterdir()
    content = file.read_bytes()
    if how == "a folder":
        file.unlink()
        file.mkdir()
    else:
        middle = len(content) // 2
        file.write_bytes({
            "flipped": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
            "cut": content[:middle],
            "emptied": b"",
            "of another form": content[:32] + b"{}",
        }[how])  # fmt: skip
    assert _found(lake) == first
    assert looked == [list(range(14))] * 2


def test_nothing_is_kept_where_nothing_can_be(
    tmp_path: Path, chains: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("GEXLAB_CACHE", str(tmp_path / "file"))
    lake = _lake(tmp_path / "lake", chains)
    assert _found(lake) == _found(lake)


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(("back", "told"), [(2, True), (10, True), (11, False)])
def test_a_copy_is_looked_for_among_ten_sessions(
    tmp_path: Path, chains: pd.DataFrame, back: int, told: bool
) -> None:
    days = sorted(chains.session.unique())
    told_of, copied = days[12], chains[chains.session == days[12 - back]]
    shift = pd.Timestamp(told_of) - pd.Timestamp(days[12 - back])
    copy = copied.assign(
        session=told_of, quote_ts=copied.quote_ts + shift, known_at=copied.known_at + shift
    )
    lake = _lake(tmp_path / "lake", pd.concat([chains[chains.session != told_of], copy]))
    found = [f.session for f in _found(lake) if f.check == "copy_of_earlier_session"]
    assert found == ([told_of] if told else [])
