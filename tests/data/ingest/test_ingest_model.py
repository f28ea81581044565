"""Any sequence of ingests against a plain model: nothing is lost, nothing is there twice."""

from __future__ import annotations

import tempfile
from itertools import count
from pathlib import Path

import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st
from property_search import examples

from gexlab.data.ingest.ingest import ingest
from gexlab.data.lake.housekeeping import compact
from gexlab.data.lake.lake import Lake, open_lake

MAP = """
[columns]
session = "date"
expiry = "expiry"
strike = "strike"
right = "cp"
open_interest = "oi"
spot = "spot"

[timing]
quote_time = "close"
known_at = "next_open"
oi_lag_sessions = 1
settlement = "PM"
"""
#: Two years, so that there are several parts; the last is no session, and its rows are rejected.
DAYS = ("2022-12-29", "2022-12-30", "2023-01-03", "2023-01-04", "2023-01-01")
NAMES = ("a.csv", "b.csv", "c!d.csv")

Key = tuple[str, int, str]
Call = dict[str, list[Key]]

_KEYS = st.tuples(st.sampled_from(DAYS), st.sampled_from((100, 101)), st.sampled_from("CP"))
_FILES = st.lists(_KEYS, min_size=1, max_size=8, unique=True)
_CALLS = st.lists(
    st.dictionaries(st.sampled_from(NAMES), _FILES, min_size=1), min_size=2, max_size=5
)


def _written(path: Path, rows: dict[Key, int]) -> Path:
    lines = [f"{day},2023-02-17,{k},{right},{oi},100" for (day, k, right), oi in rows.items()]
    path.write_text("\n".join(["date,expiry,strike,cp,oi,spot", *lines]) + "\n")
    return path


def _held(lake: Lake) -> dict[Key, int]:
    """Return what the lake holds; a contract that is there twice, or out of order, is an error."""
    found: dict[Key, int] = {}
    for path in lake.chain_files("SPX"):
        rows = pq.ParquetFile(path).read(["session", "strike", "right", "open_interest"])
        days = rows.column("session").to_pylist()
        assert days == sorted(days)
        for row in rows.to_pylist():
            key = (row["session"].isoformat(), int(row["strike"]), row["right"])
            assert key not in found
            found[key] = int(row["open_interest"])
    return found


@examples(12)
@given(_CALLS, st.booleans())
def test_the_lake_holds_what_the_last_files_say(calls: list[Call], joined: bool) -> None:
    """A changed file takes its former rows with it; of two files, the later one's contract counts.

    Rows that gave way to another file's do not come back when that file changes.
    """
    fresh = count(1)
    model: dict[Key, tuple[int, str]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "map.toml").write_text(MAP)
        for call in calls:
            files = {file: {key: next(fresh) for key in keys} for file, keys in call.items()}
            result = ingest(
                [_written(folder / file, rows) for file, rows in files.items()],
                vendor="columns",
                underlying="SPX",
                lake=folder / "lake",
                mapping=folder / "map.toml",
                allow_rejects=True,
            )
            model = {key: held for key, held in model.items() if held[1] not in files}
            for file, rows in files.items():
                model |= {key: (oi, file) for key, oi in rows.items() if key[0] != DAYS[-1]}
            read = [key for rows in files.values() for key in rows]
            rejected = sum(key[0] == DAYS[-1] for key in read)
            assert (result.rows_read, result.rows_rejected) == (len(read), rejected)
            assert result.rows_written == len(read) - rejected
        lake = open_lake(folder / "lake")
        if not model:
            assert lake.underlyings() == []
            return
        if joined:
            compact(lake, underlying="SPX")
        assert _held(lake) == {key: oi for key, (oi, _) in model.items()}
        assert sum(entry.rows for entry in lake.sessions("SPX")) == len(model)
