"""A grid that is spread gives the table of one process, to the last bit."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from gexlab.backtest.grid import grid as room
from gexlab.backtest.grid import pieces
from gexlab.backtest.grid.grid import grid
from gexlab.backtest.grid.pieces import Piece, computed_elsewhere
from gexlab.data import Crew, InputFileError, Workers

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
filters = ["own.py:Calm", "sign", { name = "percentile", window = [40, 60] }]
rules = [{ long = "fade", short = "follow" }, { long = "hold", short = "flat" }]
fees_bps = [0, 2]
fill = ["next_open", "next_close"]
"""


@pytest.fixture
def config(make_market: MakeMarket, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(room, "CHUNK", 3)
    file = make_market(strategies=GRID, sessions=150)
    (file.parent / "own.py").write_text(OWN, encoding="utf-8")
    return file


def _frozen(table: pd.DataFrame) -> bytes:
    return pickle.dumps([table[c].to_numpy().tolist() for c in table])


def test_a_piece_alone_gives_what_the_whole_gives(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a worker computes it: from a pickled configuration, everything read anew."""
    whole = grid(config).table
    seen: list[Piece] = []

    def spread(_: object, __: object, given: list[Piece], **___: object) -> object:
        seen.extend(given)
        return (computed_elsewhere(pickle.loads(pickle.dumps(piece))) for piece in given)

    monkeypatch.setattr(Crew, "spread", spread)
    apart = grid(config, workers=Workers(2))
    assert _frozen(apart.table) == _frozen(whole)
    assert len(seen) == 2 * 3  # eight strategies, three at a time, for each fill
    # data that changed in between are another question
    series = config.parent / "gex.parquet"
    table = pd.read_parquet(series)
    table["value"] *= 1.5
    table.to_parquet(series)
    pieces._forget()
    with pytest.raises(InputFileError, match="a worker reads other data than the process"):
        computed_elsewhere(seen[0])
    # and a worker that has read the former data reads again for a later run
    seen.clear()
    assert _frozen(grid(config, workers=Workers(2)).table) != _frozen(whole)
    # nor does it go on with the former text of a user's own component
    before = seen.copy()
    edited = OWN.replace("1.05", "1.02")
    (config.parent / "own.py").write_text(edited, encoding="utf-8")
    apart = grid(config, workers=Workers(2))
    with pytest.raises(InputFileError, match="a worker reads other trials than the process"):
        computed_elsewhere(before[0])
    monkeypatch.undo()
    monkeypatch.setattr(room, "CHUNK", 3)
    assert _frozen(apart.table) == _frozen(grid(config).table)


@pytest.mark.slow
def test_two_workers_give_what_one_process_gives(config: Path) -> None:
    pytest.importorskip("distributed")
    assert _frozen(grid(config, workers=Workers(2)).table) == _frozen(grid(config).table)
