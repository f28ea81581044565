"""No SQL statement changes a byte, reads a file that is no part of the lake, or runs away."""

from __future__ import annotations

import hashlib
import resource
import time
from collections.abc import Callable
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hostile_sql import KINDS, WITHOUT_TEXT, kinds, statements

from gexlab.data.base.errors import GexlabError, QueryError
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.lake.writer import write_sessions
from gexlab.data.regimes.query import Limits, query, stream

SECRET = "canary-5c1e7"
LIMITS = Limits(memory=256 << 20, seconds=5)


@pytest.fixture
def lake(tmp_path: Path, make_chain: Callable[..., Any]) -> Lake:
    found = open_lake(tmp_path / "lake", create=True)
    write_sessions(found, "SPX", make_chain([date(2026, 7, 1)], strikes=4), source="made")
    return found


@pytest.fixture
def decoys(tmp_path: Path, lake: Lake) -> list[str]:
    """Files outside the lake, one that doesn't exist, and a chain file and a log of it."""
    folder = tmp_path / "decoys"
    folder.mkdir()
    for ending in ("csv", "json", "txt", "parquet", "db"):
        (folder / f"secret.{ending}").write_text(f"{SECRET}\n1\n", encoding="utf-8")
    (chain,) = lake.chain_files("SPX")
    inside = [str(chain), str(lake.root / "chains" / "_delta_log" / "00000000000000000000.json")]
    return [*map(str, sorted(folder.iterdir())), str(folder / "new.csv"), *inside]


def _state(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _attack(lake: Lake, folder: Path, hostile: list[str]) -> int:
    """Run statements; return how many were refused."""
    before, refused = _state(folder), 0
    for statement in hostile:
        began = time.monotonic()
        try:
            answer = str(query(lake, statement, limits=LIMITS).to_pydict())
        except GexlabError as error:
            answer, refused = str(error), refused + 1
            assert "\n" not in answer
        assert SECRET not in answer, statement
        assert time.monotonic() - began < 60, statement  # 5 s, on a machine that is busy
        assert _state(folder) == before, statement
    return refused


def test_every_kind_of_statement_is_tried() -> None:
    assert set(KINDS) | WITHOUT_TEXT == kinds()


def test_hostile_statements_change_and_read_nothing(
    lake: Lake, decoys: list[str], tmp_path: Path
) -> None:
    hostile = list(islice(statements(decoys, seed=11), 8))
    assert _attack(lake, tmp_path, hostile) > 0


@pytest.mark.slow
def test_three_hundred_hostile_statements(
    lake: Lake, decoys: list[str], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    hostile = list(islice(statements(decoys, seed=5), 300))
    assert len(set(hostile)) == 300
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    refused = _attack(lake, tmp_path, hostile)
    assert refused > 150
    used = resource.getrusage(resource.RUSAGE_CHILDREN)  # memory in KB
    assert used.ru_maxrss < 1_500_000
    told = {
        "answered": 300 - refused,
        "refused": refused,
        "seconds": round(time.monotonic() - began, 1),
        "processor seconds of workers": round(used.ru_utime - before.ru_utime, 1),
        "largest worker in MB": round(used.ru_maxrss / 1024),
    }
    for name, value in told.items():
        record_property(name, value)


def test_a_copy_in_a_cte_leaves_the_chain_file(lake: Lake) -> None:
    (chain,) = lake.chain_files("SPX")
    before = chain.read_bytes()
    copied = f"COPY (SELECT 'evil') TO '{chain}' (FORMAT csv, USE_TMP_FILE false)"
    statement = f"WITH x AS MATERIALIZED ({copied}) FROM x"
    with pytest.raises(QueryError, match="found COPY in it"):
        query(lake, statement)
    assert chain.read_bytes() == before


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("SELECT count(*) FROM generate_series(1, 1000000000000)", "longer than 0.4 s"),
        ("SELECT * FROM range(1000000000000)", "longer than 0.4 s"),
        ("SELECT list(x) FROM range(1000000000000) t(x)", "more than 64 MB|longer than 0.4 s"),
    ],
)
def test_an_endless_statement_ends_in_one_line(lake: Lake, statement: str, reason: str) -> None:
    with (
        pytest.raises(QueryError, match=reason) as caught,
        stream(lake, statement, limits=Limits(64 << 20, 0.4)) as answer,
    ):
        for _ in answer:
            pass
    assert "\n" not in str(caught.value)
