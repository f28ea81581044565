"""Feed mutated inputs to everything that parses what a user or a vendor wrote.

    python tests/robustness/fuzz_ingest.py --inputs 1000000 --seed 1
    python tests/robustness/fuzz_ingest.py --only files --minutes 20 --seed 1

Mutations know the structure of what they change: cells, columns, rows, quotes, types, archives'
members, TOML keys, bytes. Every input must end in a result or in a GexlabError of one line, within
five seconds, and a failed ingest must leave the lake as it was. Cells are also compared with a
plain reading in Python: what was text must never become NULL in silence. Prints one JSON document;
exit code 1, and how to repeat the case, where an input does anything else.

Shares by parser, the same in the suite and in long runs: see ``SHARES``. To add a vendor, add a
function that writes a small right file of it to ``SAMPLES``.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import math
import random
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from gexlab.data.base.errors import GexlabError
from gexlab.data.base.sql import load_sql
from gexlab.data.ingest.files import opened
from gexlab.data.ingest.ingest import ingest
from gexlab.data.lake.connection import connect
from gexlab.data.lake.delta_log import files_at
from gexlab.data.lake.records import manifest_at
from gexlab.data.vendors import vendor
from gexlab.data.vendors.column_map import mapped, read_mapping
from gexlab.data.vendors.map_checks import check_preset

SHARES: Final = {"cells": 0.618, "maps": 0.20, "logs": 0.05, "archives": 0.13, "files": 0.002}
SECONDS: Final = 5.0

HEADER: Final = ("date", "expiry", "strike", "cp", "oi", "iv", "bid", "ask", "spot")
MAP: Final = """
[columns]
session = "date"
expiry = "expiry"
strike = "strike"
right = "cp"
open_interest = "oi"
iv = "iv"
bid = "bid"
ask = "ask"
spot = "spot"

[scale]
iv = 1.0

[constants]
multiplier = 100

[timing]
calendar = "XNYS"
timezone = "America/New_York"
quote_time = "close"
known_at = "next_open"
oi_lag_sessions = 1
settlement = "third_friday"
"""
#: What stands for a refusal, by the reading of a cell that is tried.
READINGS: Final = {
    "CAST('inf' AS DOUBLE)": "number_of_text(cell, 'strike', 0)",
    "DATE '0001-01-01'": "understood(date_of_text(cell, NULL), cell, 'session', 0)",
    "make_timestamptz(-62135596800000000)": (
        "understood(moment_of_text(cell, 'America/New_York', NULL), cell, 'quote_ts', 0)"
    ),
}
ODD_CELLS: Final = (
    *("", " ", "nan", "NULL", "inf", "-inf", "0", "-0", "-1", "1e308", "1e309", "1e-320", "1,5"),
    *("1_000", "0x10", "１２", "٣", "=1+1", "+1", "@SUM(A1)", '=cmd|" /C calc"!A0', "12abc"),
    *("'; DROP TABLE contracts;--", '"', '""', "'", "\\", "\t", "a\x00b", "é", "\ud83d\ude00"),
    *("true", "1/2", "2022-02-30", "0000-00-00", "9999-12-31", "infinity", "12/31/99", "now"),
    *(
        "2022-12-12T25:00:00",
        "2022-12-12 10:00:00+99:00",
        "294247-01-10",
        "-4713-01-01",
        "x" * 5000,
    ),
)


def table_rows(draw: random.Random) -> list[list[str]]:
    """Return a small right table, header first."""
    days = draw.sample(["2022-12-12", "2022-12-13", "2022-12-14"], draw.randint(1, 3))
    return [list(HEADER)] + [
        [day, expiry, str(strike), right, str(draw.randint(0, 99)), "0.2", "1", "2", "3990.5"]
        for day in sorted(days)
        for expiry in ("2022-12-16", "2022-12-30")
        for strike in (3900, 3902.5)
        for right in "CP"
    ]


def as_csv(rows: list[list[str]], delimiter: str = ",") -> bytes:
    """Return a table as text, quoted no more than necessary: a mutation may break it."""
    return ("\n".join(delimiter.join(row) for row in rows) + "\n").encode("utf-8", "replace")


def as_json(rows: list[list[str]]) -> bytes:
    """Return a table as an array of objects."""
    return json.dumps([dict(zip(rows[0], row, strict=False)) for row in rows[1:]]).encode()


def as_parquet(draw: random.Random, rows: list[list[str]]) -> bytes:
    """Return a table as Parquet, each column in a type that may or may not fit."""
    columns = {}
    rows = [[cell.encode("utf-8", "replace").decode() for cell in row] for row in rows]
    for i, name in enumerate(rows[0]):
        values = [row[i] if i < len(row) else None for row in rows[1:]]
        columns[f"{name}{i}" if name in columns else name] = _typed(draw, values)
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def _typed(draw: random.Random, values: list[str | None]) -> Any:
    text = pa.array(values)
    kinds = [pa.string(), pa.float64(), pa.int32(), pa.date32(), pa.timestamp("ns"), pa.bool_()]
    kinds += [pa.list_(pa.string()), pa.decimal128(10, 2), pa.binary(), pa.null()]
    try:
        return text.cast(draw.choice(kinds))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return text


def mutate_rows(draw: random.Random, rows: list[list[str]]) -> list[list[str]]:
    """Return a table with a few cells, rows or columns that are not as they should be."""
    rows = [list(row) for row in rows]
    for _ in range(draw.randint(1, 4)):
        row = draw.choice(rows)
        if not row:
            continue
        at = draw.randrange(len(row))
        what = draw.randrange(8)
        if what <= 3:
            row[at] = draw.choice(ODD_CELLS)
        elif what == 4:
            row[at] = _scrambled(draw, row[at])
        elif what == 5:
            row.insert(at, draw.choice(ODD_CELLS))
        elif what == 6:
            del row[at]
        else:
            rows.insert(draw.randrange(len(rows) + 1), list(draw.choice(rows)))
    return rows


def _scrambled(draw: random.Random, text: str) -> str:
    letters = list(text) or [" "]
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(letters))
        letters[at] = draw.choice(["", letters[at] * 2, chr(draw.randrange(32, 0x250)), "-", "."])
    return "".join(letters)


def mutate_bytes(draw: random.Random, content: bytes) -> bytes:
    """Return bytes with a few of them changed, cut out, doubled or put in."""
    data = bytearray(content)
    for _ in range(draw.randint(1, 6)):
        at = draw.randrange(len(data) + 1)
        what = draw.randrange(4)
        if what == 0 and at < len(data):
            data[at] = draw.randrange(256)
        elif what == 1:
            del data[at : at + draw.randint(1, 40)]
        elif what == 2:
            data[at:at] = data[at : at + draw.randint(1, 40)]
        else:
            data[at:at] = draw.randbytes(draw.randint(1, 8))
    return bytes(data[: draw.randint(0, len(data))]) if draw.random() < 0.2 else bytes(data)


def columns_sample(draw: random.Random) -> tuple[str, bytes]:
    """Return the suffix and the bytes of a mutated table for the vendor ``columns``."""
    rows = mutate_rows(draw, table_rows(draw))
    suffix = draw.choice([".csv", ".csv", ".txt", ".tsv", ".json", ".parquet"])
    if suffix == ".parquet":
        content = as_parquet(draw, rows)
    elif suffix == ".json":
        content = as_json(rows)
    else:
        content = as_csv(rows, draw.choice([",", ",", ",", ";", "\t", "|"]))
    return suffix, mutate_bytes(draw, content) if draw.random() < 0.3 else content


def canonical_sample(draw: random.Random) -> tuple[str, bytes]:
    """Return the suffix and the bytes of a mutated canonical table."""
    names = {"date": "quote_ts", "cp": "right", "oi": "open_interest"}
    rows = table_rows(draw)
    rows[0] = [names.get(name, name) for name in rows[0]] + ["settlement", "known_at"]
    for row in rows[1:]:
        row[0] += " 21:00:00"
        row += ["PM", "2022-12-16 14:30:00+00:00"]
    content = as_csv(mutate_rows(draw, rows))
    return ".csv", mutate_bytes(draw, content) if draw.random() < 0.3 else content


def zipped(name: str, content: bytes) -> bytes:
    """Return an archive with one member."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return sink.getvalue()


SAMPLES: Final[dict[str, Callable[[random.Random], tuple[str, bytes]]]] = {
    "canonical": canonical_sample,
    "columns": columns_sample,
}


class Fuzzer:
    """A folder to work in, and what has been seen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lake = folder / "lake"
        (folder / "map.toml").write_text(MAP)
        (folder / "good.csv").write_bytes(as_csv(table_rows(random.Random(0))))
        self._ingest(folder / "good.csv", "columns")
        self.good = self._state()
        self.held = manifest_at(self.lake, "SPX")
        heads = ("versions/_delta_log", "sessions/", "sources/underlying")
        self.logged = sorted(name for name in self.good if name.startswith(heads))
        self.found: Counter[str] = Counter()

    def files(self, draw: random.Random) -> None:
        """Ingest one mutated file of one vendor into a lake that holds something."""
        name = draw.choice(sorted(SAMPLES))
        suffix, content = SAMPLES[name](draw)
        path = self.folder / f"{draw.choice(['chain', 'a b', 'x[1]'])}{suffix}"
        packing = draw.random()
        if packing < 0.1:
            path, content = path.with_name(path.name + ".gz"), gzip.compress(content)
        elif packing < 0.2:
            path, content = path.with_suffix(".zip"), zipped(path.name, content)
        if packing < 0.2 and draw.random() < 0.3:
            content = mutate_bytes(draw, content)
        path.write_bytes(content)
        try:
            self._ingest(path, name)
        except GexlabError:
            assert self._state() == self.good, "a failed ingest changed the lake"
            raise
        finally:
            path.unlink()
        self._reset()

    def archives(self, draw: random.Random) -> None:
        """Open one mutated archive."""
        content = as_csv(table_rows(draw))
        names = ["a.csv", "../../a.csv", "/etc/a.csv", "b/c.csv", "a.pdf", "x" * 300 + ".csv"]
        if draw.random() < 0.4:
            path, packed = self.folder / "in.csv.gz", gzip.compress(content)
        else:
            sink = io.BytesIO()
            with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
                for i in range(draw.randint(0, 3)):
                    archive.writestr(
                        f"{i}{draw.choice(names)}" if i else draw.choice(names), content
                    )
            path, packed = self.folder / "in.zip", sink.getvalue()
        path.write_bytes(mutate_bytes(draw, packed) if draw.random() < 0.8 else packed)
        with tempfile.TemporaryDirectory(dir=self.folder) as out:
            for file in opened(path, Path(out)):
                assert file.path.parent == Path(out), "a member left its folder"

    def maps(self, draw: random.Random) -> None:
        """Read one mutated column map and check the preset it makes."""
        lines = MAP.splitlines()
        for _ in range(draw.randint(1, 4)):
            at = draw.randrange(len(lines))
            what = draw.randrange(5)
            if what == 0:
                lines[at] = _scrambled(draw, lines[at])
            elif what == 1:
                key = lines[at].partition("=")[0]
                lines[at] = key + "= " + draw.choice(["1", "-5", "true", "[]", "{}", "1.5", "'é'"])
            elif what == 2:
                lines[at] = ""
            elif what == 3:
                lines.insert(at, draw.choice(lines))
            else:
                lines[at] += draw.choice([" x", " # y", "\\", '"', " = 1"])
        path = self.folder / "fuzzed.toml"
        path.write_bytes(("\n".join(lines)).encode("utf-8", "replace"))
        check_preset(mapped(vendor("columns"), read_mapping(path)))

    def logs(self, draw: random.Random) -> None:
        """Read a lake of which one log or record is mutated: refused, or as it was."""
        name = draw.choice(self.logged)
        changed = mutate_bytes(draw, self.good[name])
        (self.lake / name).write_bytes(changed)
        try:
            files_at.cache_clear()
            found = manifest_at(self.lake, "SPX")
        finally:
            (self.lake / name).write_bytes(self.good[name])
        assert found == self.held, name

    def _ingest(self, path: Path, name: str) -> None:
        ingest(
            [path],
            vendor=name,
            underlying="SPX",
            lake=self.lake,
            mapping=self.folder / "map.toml" if name == "columns" else None,
        )

    def _state(self) -> dict[str, bytes]:
        paths = (p for p in self.lake.rglob("*") if p.is_file())
        return {p.relative_to(self.lake).as_posix(): p.read_bytes() for p in paths}

    def _reset(self) -> None:
        for path in [p for p in self.lake.rglob("*") if p.is_file()]:
            path.unlink()
        for name, content in self.good.items():
            (self.lake / name).parent.mkdir(parents=True, exist_ok=True)
            (self.lake / name).write_bytes(content)


def fuzz_cells(count: int, seed: int) -> Counter[str]:
    """Read many mutated cells as numbers, dates and moments; compare numbers with Python's.

    Returns
    -------
    Counter
        Readings, three of each cell, by outcome: ``read``, ``missing`` or ``refused``.
    """
    draw = random.Random(seed)
    odd: tuple[str, ...] = (
        *ODD_CELLS,
        "4000",
        "402.5",
        "2022-12-12",
        "12/30/2022",
        "2022-12-12 15:00:00",
        "1e3",
    )
    seeds = tuple(cell for cell in odd if len(cell) < 100 and "\ud83d" not in cell)
    cells = [
        _scrambled(draw, draw.choice(seeds)) if draw.random() < 0.8 else draw.choice(seeds)
        for _ in range(count)
    ]
    cells = [cell.encode("utf-8", "replace").decode() for cell in cells]
    outcome: Counter[str] = Counter()
    with connect(threads=1) as connection:
        connection.execute(load_sql("ingest/macros"))
        connection.register("cells", pa.table({"cell": cells}))
        for refused, reading in READINGS.items():
            # an error ends a query, so a value of its own stands for it here
            connection.execute(f"CREATE OR REPLACE MACRO refuse(v, what, i) AS {refused}")
            query = f"SELECT cell, is_blank(cell), r = {refused}, r FROM (SELECT cell, {reading} AS r FROM cells)"  # noqa: S608, E501
            for cell, blank, is_refused, value in connection.execute(query).fetchall():
                kind = "missing" if value is None else "refused" if is_refused else "read"
                outcome[kind] += 1
                assert kind != "missing" or blank or not _is_printed(cell), (cell, reading)
                assert kind == "missing" or not blank, (cell, reading, value)
                if isinstance(value, float) and kind == "read":
                    expected = _python_number(cell)
                    assert expected is None or value == expected, (cell, value)
    return outcome


def _is_printed(cell: str) -> bool:
    """Return False for a number that no market prints: infinite, 1e15 or more, or not a number."""
    try:
        return abs(float(cell)) < 1e15
    except ValueError:
        return True


def _python_number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    plain = cell.isascii() and "_" not in cell and "\x00" not in cell
    return value if math.isfinite(value) and plain else None


def fuzz(
    inputs: int, seed: int, only: str | None = None, *, minutes: float = math.inf
) -> dict[str, dict[str, int]]:
    """Feed so many inputs, divided among the parsers by `SHARES`; return outcomes by parser.

    No parser but that of cells gets more than so many minutes of processor time.

    Raises
    ------
    AssertionError
        Naming parser and seed of an input that ended in anything but a result or a GexlabError of
        one line, took longer than five seconds, or changed the lake.
    """
    shares = {only: 1.0} if only else SHARES
    report: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as name:
        fuzzer = Fuzzer(Path(name))
        for parser, share in shares.items():
            count = math.ceil(inputs * share)
            if parser == "cells":
                outcome: Counter[str] = Counter()
                count = math.ceil(count / len(READINGS))
                for start in range(0, count, 50_000):
                    outcome += fuzz_cells(min(50_000, count - start), seed * 10**9 + start)
            else:
                numbers = _within_time(count, minutes)
                outcome = Counter(_one(fuzzer, parser, seed * 10**9 + i) for i in numbers)
            report[parser] = dict(sorted(outcome.items()))
    return report


def _within_time(count: int, minutes: float) -> Iterator[int]:
    end = time.process_time() + 60 * minutes
    for i in range(count):
        if time.process_time() > end:
            return
        yield i


def _one(fuzzer: Fuzzer, parser: str, seed: int) -> str:
    started = time.process_time()
    try:
        getattr(fuzzer, parser)(random.Random(seed))
        outcome = "read"
    except GexlabError as error:
        outcome = "refused" if "\n" not in str(error) else f"more than one line: {error}"
    except BaseException as error:
        outcome = f"{type(error).__name__}: {error}"
    assert outcome in ("read", "refused"), f"{parser}, seed {seed}: {outcome}"
    took = time.process_time() - started
    assert took < SECONDS, f"{parser}, seed {seed}: {took:.1f} s"
    return outcome


def main() -> None:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=tuple(SHARES))
    parser.add_argument("--minutes", type=float, default=math.inf)
    given = parser.parse_args()
    report = fuzz(given.inputs, given.seed, given.only, minutes=given.minutes)
    total = sum(sum(outcome.values()) for outcome in report.values())
    sys.stdout.write(json.dumps({"inputs": total, **report}) + "\n")


if __name__ == "__main__":
    main()
