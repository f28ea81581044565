"""Feed every vendor's parser with mutated files: nothing may end in a traceback, hang, or harm.

    python tests/twin/fuzz_vendors.py --rows 1000000 --files 4000 --seed 1

Two ways, because reading a file costs a tenth of a second and reading a row a microsecond:

``rows``: files of thousands of rows whose cells are mutated one by one go through the whole ingest.
A cell that the pipeline refuses would end the ingest; here the refusal is turned into NULL, so that
the rows after it are tried as well. What arrives in the lake must satisfy the canonical schema.

``files``: whole files are mutated (columns, lines, quotes, encodings, bytes, archives, Parquet
types) and ingested one by one into a lake that holds a session. The outcome must be a result or a
one-line GexlabError, within five seconds of processor time (a minute by the clock, because other
work may share the machine), and an error leaves every byte of the lake alone.

Prints one JSON document; exit code 1 where something failed.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import json
import random
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import duckdb
import made_files
import pyarrow as pa
import pyarrow.parquet as pq

from gexlab.data.base.errors import GexlabError
from gexlab.data.base.sql import load_sql
from gexlab.data.ingest import canonical_rows as pipeline
from gexlab.data.ingest import timing as dating
from gexlab.data.ingest.ingest import ingest
from gexlab.data.lake.lake import open_lake

#: Vendor, underlying, suffix, text.
SEEDS: Final = (
    ("cboe_quote_table", "SPX", ".csv", made_files.CBOE_QUOTE_TABLE),
    (
        "cboe_delayed_json",
        "SPX",
        ".json",
        made_files.cboe_delayed_json("2026-03-05 23:40:12", "2026-03-05T16:14:59"),
    ),
    ("yfinance", "SPY", ".csv", made_files.YFINANCE),
    ("ivolatility", "SPX", ".csv", made_files.IVOLATILITY),
    ("optionsdx", "SPX", ".txt", made_files.OPTIONSDX),
    ("nse_bhavcopy", "NIFTY", ".csv", made_files.NSE_BHAVCOPY),
    ("deribit", "BTC", ".csv", made_files.DERIBIT),
    ("orats", "SPX", ".csv", made_files.ORATS_API),
    ("orats", "SPX", ".csv", made_files.ORATS_SHORT),
    ("historicaloptiondata", "SPX", ".csv", made_files.HISTORICALOPTIONDATA_2),
    ("historicaloptiondata", "A", ".csv", made_files.HISTORICALOPTIONDATA_1),
)
CELLS: Final = (
    "", " ", "nan", "NULL", "-", "0", "-0.0", "-1", "1e308", "-1e308", "1e-320", "1e999", "inf",
    "0x10", "1,000", "1 000", "1.5.2", "१२३", "٣", "=1+1", "+cmd|' /C calc'!A0", "@SUM(1+1)",
    "-2+3", "'; DROP TABLE contracts; --", "\" OR 1=1 --", "$(rm -rf ~)", "../../../etc/passwd",
    "{{7*7}}", "%s%n", "\u202e", "😀", "x" * 3000, "C", "P", "call", "PUT", "CE", "pe", "AM", "PM",
    "X", "0000-00-00", "0001-01-01", "1800-01-01", "1969-12-31", "2026-02-30", "9999-12-31",
    "99999-01-01", "2024-03-10 02:30:00", "2023-11-05 01:30:00", "2026-08-12T20:00:00+25:00",
    "12/31/99", "Dec 16 2022", "Fri Feb 30 2024", "20240101", "1704067200", "1704067200000",
    "true", "SPX", "SPXW", "SPX221216C04000000", "SPXW  110107C01050000", "SPX221399X0400000Z",
    "\t", "\x7f", "a,b", "q\"q",
)  # fmt: skip
_SLOW: Final = 5.0
_INVARIANTS: Final = """
SELECT count(*) FILTER (
    session IS NULL OR quote_ts IS NULL OR expiry IS NULL OR expiry_ts IS NULL OR known_at IS NULL
    OR settlement NOT IN ('AM', 'PM') OR "right" NOT IN ('C', 'P')
    OR NOT strike > 0 OR NOT spot > 0 OR isinf(strike) OR isinf(spot)
    OR iv < 0.01 OR iv > 10 OR isnan(iv) OR open_interest < 0 OR isinf(open_interest)
    OR isnan(open_interest) OR isinf(bid) OR isinf(ask) OR isnan(bid) OR isnan(ask)
) AS broken, count(*) AS n
FROM read_parquet($files, hive_partitioning = false)
"""


@dataclass(slots=True)
class Report:
    """What happened."""

    inputs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def fail(self, what: str) -> None:
        self.failures.append(what[:600])


def mutated_cell(cell: str, rng: random.Random) -> str:
    """Return something else in place of a cell, often close to it."""
    kind = rng.random()
    if kind < 0.5:
        return rng.choice(CELLS)
    if kind < 0.7 and cell:
        i = rng.randrange(len(cell))
        return cell[:i] + rng.choice("0123456789.-+eE,/: CPXx\"'\x00é") + cell[i + 1 :]
    if kind < 0.85:
        return (
            cell * rng.choice((2, 3))
            if rng.random() < 0.5
            else cell[: rng.randrange(len(cell) + 1)]
        )
    return str(rng.choice((rng.uniform(-10, 10), rng.uniform(-1e9, 1e9), rng.randrange(10**12))))


# --- rows -----------------------------------------------------------------------------------------


@contextmanager
def refusals_as_null() -> Iterator[None]:
    """Let the pipeline go on behind a cell that it refuses."""

    def forgiving(name: str) -> str:
        text = load_sql(name)
        if name != "ingest/macros":
            return text
        return text + "\nCREATE OR REPLACE MACRO refuse(v, what, file_index) AS NULL;"

    def overlook(*_: object) -> None: ...

    with (
        patch.object(pipeline, "load_sql", forgiving),
        patch.object(dating.Dating, "_refuse_unread", overlook),
    ):
        yield


def mutated_rows(vendor: str, text: str, rows: int, rng: random.Random, folder: Path) -> Path:
    """Write a file of many rows in a vendor's format, one to three cells of each mutated."""
    if vendor == "cboe_delayed_json":
        return _json_rows(text, rows, rng, folder)
    head, body = _split(vendor, text)
    records = list(csv.reader(io.StringIO("".join(body)), skipinitialspace=True))
    mutated = [_mutated_record(rng.choice(records), rng) for _ in range(rows)]
    if vendor == "cboe_quote_table":
        path = folder / "rows.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            stream.writelines(head)
            writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n")
            writer.writerows(mutated)
        return path
    names = [n.strip() for n in next(csv.reader(io.StringIO(head[-1])))]
    path = folder / "rows.parquet"
    columns = {n: pa.array([r[i] or None for r in mutated]) for i, n in enumerate(names)}
    pq.write_table(pa.table(columns), path)
    return path


def _split(vendor: str, text: str) -> tuple[list[str], list[str]]:
    lines = text.splitlines(keepends=True)
    at = 3 if vendor == "cboe_quote_table" else 1
    return lines[:at], lines[at:]


def _mutated_record(record: list[str], rng: random.Random) -> list[str]:
    cells = list(record)
    for _ in range(rng.choice((1, 1, 2, 3))):
        i = rng.randrange(len(cells))
        cells[i] = mutated_cell(cells[i], rng).replace("\x00", "")
    return cells


def _json_rows(text: str, rows: int, rng: random.Random, folder: Path) -> Path:
    whole = json.loads(text)
    seeds = whole["data"]["options"]
    numbers = (0, -1, 1e308, -1e308, 1e-320, None, 0.5, 10**18, -0.0)
    options = []
    for _ in range(rows):
        option = dict(rng.choice(seeds))
        key = rng.choice(list(option))
        option[key] = mutated_cell(option[key], rng) if key == "option" else rng.choice(numbers)
        options.append(option)
    whole["data"]["options"] = options
    path = folder / "rows.json"
    path.write_text(json.dumps(whole), encoding="utf-8")
    return path


def fuzz_rows(rows: int, seed: int, report: Report, *, chunk: int = 20_000) -> None:
    """Send `rows` mutated rows through the ingest, spread over all vendors."""
    rng = random.Random(seed)
    share = -(-rows // len(SEEDS))
    with refusals_as_null():
        for vendor, underlying, _, text in SEEDS:
            for start in range(0, share, chunk):
                n = min(chunk, share - start)
                with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
                    _try_rows(vendor, underlying, text, n, rng, Path(name), report)


def _try_rows(
    vendor: str,
    underlying: str,
    text: str,
    rows: int,
    rng: random.Random,
    folder: Path,
    report: Report,
) -> None:
    path = mutated_rows(vendor, text, rows, rng, folder)
    report.inputs += rows
    began = time.perf_counter()
    try:
        result = ingest(
            [path], vendor=vendor, underlying=underlying, lake=folder / "lake", allow_rejects=True
        )
    except GexlabError as error:
        report.fail(f"{vendor}: rows ended the ingest: {error}")
        return
    except Exception as error:
        report.fail(f"{vendor}: {type(error).__name__}: {error}")
        return
    report.slowest = max(report.slowest, time.perf_counter() - began)
    report.outcomes["rows written"] += result.rows_written
    report.outcomes["rows rejected"] += result.rows_rejected
    report.outcomes["rows of others"] += result.rows_of_others
    if result.rows_read != result.rows_written + result.rows_rejected + result.rows_repeated:
        report.fail(f"{vendor}: {result} does not add up")
    lake = open_lake(folder / "lake")
    if lake.underlyings():
        files = [str(file) for file in lake.chain_files(underlying)]
        with duckdb.connect() as connection:
            broken, n = connection.execute(_INVARIANTS, {"files": files}).fetchall()[0]
        if broken or n != sum(entry.rows for entry in lake.sessions(underlying)):
            report.fail(f"{vendor}: {broken} rows of {n} break the schema")


# --- files ----------------------------------------------------------------------------------------


def _lines(text: str, rng: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    action = rng.randrange(6)
    if action == 0:
        del lines[i]
    elif action == 1:
        lines.insert(i, lines[j])
    elif action == 2:
        lines[i], lines[j] = lines[j], lines[i]
    elif action == 3:
        lines.insert(i, "\n")
    elif action == 4:
        lines[i] = lines[i].rstrip("\n") + ",extra\n"
    else:
        lines[i] = lines[i].replace(",", rng.choice((";", "\t", "|", ",,", "")))
    return "".join(lines)


def _columns(text: str, rng: random.Random) -> str:
    rows = [line.split(",") for line in text.splitlines()]
    i = rng.randrange(max(len(r) for r in rows))
    action = rng.randrange(4)
    for r in rows:
        if i < len(r):
            if action == 0:
                del r[i]
            elif action == 1:
                r.insert(i, r[i])
            elif action == 2:
                r[i] = f'"{r[i]}"'
            else:
                r[i] = ""
    return "\n".join(",".join(r) for r in rows) + "\n"


def _cells(text: str, rng: random.Random) -> str:
    rows = [line.split(",") for line in text.splitlines()]
    for _ in range(rng.choice((1, 1, 2, 5))):
        r = rng.choice(rows)
        i = rng.randrange(len(r))
        r[i] = mutated_cell(r[i], rng)
    return "\n".join(",".join(r) for r in rows) + "\n"


def _characters(text: str, rng: random.Random) -> str:
    i = rng.randrange(len(text) + 1)
    j = rng.randrange(i, len(text) + 1)
    action = rng.randrange(4)
    if action == 0:
        return text[:i]
    if action == 1:
        return text[:i] + text[j:]
    if action == 2:
        return (
            text[:i]
            + rng.choice(('"', "'", "\x00", "\r", "\n", ",", "{", "[", "]", "é", "\\"))
            + text[i:]
        )
    return text[:i] + text[i:j] * rng.choice((2, 30)) + text[j:]


TEXT_MUTATORS: Final[tuple[Callable[[str, random.Random], str], ...]] = (
    _lines, _columns, _cells, _cells, _cells, _characters,
)  # fmt: skip


def _write(text: str, suffix: str, rng: random.Random, folder: Path) -> Path:
    """Write a text in one of the shapes in which files come."""
    shape = rng.random()
    data = text.encode(
        rng.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1")), "replace"
    )
    if shape < 0.75:
        path = folder / f"{rng.choice(('a', 'a b', 'a[1]', chr(39) + '; x'))}{suffix}"
        path.write_bytes(_bytes(data, rng))
    elif shape < 0.82:
        path = folder / f"a{suffix}.gz"
        path.write_bytes(_bytes(gzip.compress(data), rng))
    elif shape < 0.9:
        path = folder / "a.zip"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for name in rng.sample(("a", "../../a", "/etc/a", "d/a[1]", "C:\\a", "a"), 2):
                    archive.writestr(name + suffix, data)
        path.write_bytes(_bytes(path.read_bytes(), rng))
    else:
        path = folder / "a.parquet"
        _parquet(text, rng, path)
        path.write_bytes(_bytes(path.read_bytes(), rng))
    return path


def _bytes(data: bytes, rng: random.Random) -> bytes:
    if rng.random() > 0.2 or not data:
        return data
    i = rng.randrange(len(data))
    action = rng.randrange(3)
    if action == 0:
        return data[:i]
    if action == 1:
        return data[:i] + bytes([rng.randrange(256)]) + data[i + 1 :]
    return data[:i] + rng.randbytes(8) + data[i:]


def _parquet(text: str, rng: random.Random, path: Path) -> None:
    """Write a table of a text whose columns have random types."""
    rows = list(csv.reader(text.replace("\r", "").splitlines(), skipinitialspace=True))
    rows = [r for r in rows if r] or [["a"]]
    names = [n.strip() or f"c{i}" for i, n in enumerate(rows[0])]
    body = [r + [""] * (len(names) - len(r)) for r in rows[1:]]
    pq.write_table(
        pa.table(
            [_typed([r[i] for r in body], rng) for i in range(len(names))],
            names=[f"{n}{i if names.index(n) < i else ''}" for i, n in enumerate(names)],
        ),
        path,
    )


def _typed(values: list[str], rng: random.Random) -> Any:
    kinds = (
        pa.float64(),
        pa.int64(),
        pa.float32(),
        pa.bool_(),
        pa.date32(),
        pa.timestamp("ns"),
        pa.decimal128(20, 4),
    )
    if rng.random() < 0.5:
        return pa.array(values)
    kind = rng.choice(kinds)
    try:
        return pa.array(values).cast(kind)
    except (pa.ArrowException, ValueError):
        return rng.choice(
            (pa.array([[v] for v in values], pa.list_(pa.string())), pa.nulls(len(values)))
        )


def tree(root: Path) -> dict[str, str]:
    """Return the content of a lake, byte by byte."""
    return {
        str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(root.rglob("*"))
        if p.is_file()
    }


def fuzz_files(files: int, seed: int, report: Report) -> None:
    """Ingest `files` mutated files, one by one, into lakes that hold a session."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        lakes = {i: _filled(folder / f"lake{i}", *seed_) for i, seed_ in enumerate(SEEDS)}
        for number in range(files):
            rng = random.Random(f"{seed}:{number}")
            i = number % len(SEEDS)
            _try_file(i, lakes, rng, folder / "input", f"seed {seed} number {number}", report)


def _filled(root: Path, vendor: str, underlying: str, suffix: str, text: str) -> Path:
    seed = root.with_suffix(suffix)
    seed.write_text(text, encoding="utf-8")
    ingest([seed], vendor=vendor, underlying=underlying, lake=root)
    return root


def _try_file(
    i: int, lakes: dict[int, Path], rng: random.Random, folder: Path, label: str, report: Report
) -> None:
    vendor, underlying, suffix, text = SEEDS[i]
    folder.mkdir(exist_ok=True)
    for _ in range(rng.choice((1, 1, 2, 3))):
        text = rng.choice(TEXT_MUTATORS)(text, rng) if text else text
    path = _write(text, suffix, rng, folder)
    report.inputs += 1
    before = tree(lakes[i])
    began, busy = time.perf_counter(), time.process_time()
    try:
        ingest([path], vendor=vendor, underlying=underlying, lake=lakes[i])
        report.outcomes["files read"] += 1
    except GexlabError as error:
        report.outcomes["files refused"] += 1
        if "\n" in str(error) or not 20 < len(str(error)) < 2000:
            report.fail(f"{label}: {vendor}: not one line: {str(error)!r}")
        if tree(lakes[i]) != before:
            report.fail(f"{label}: {vendor}: the lake changed although the file was refused")
    except BaseException as error:
        report.fail(f"{label}: {vendor}: {type(error).__name__}: {error}")
        if not isinstance(error, Exception):
            raise
    taken = time.perf_counter() - began
    report.slowest = max(report.slowest, taken)
    if time.process_time() - busy > _SLOW or taken > 12 * _SLOW:
        report.fail(f"{label}: {vendor}: {taken:.1f} s")
    path.unlink()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=4_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    by_row, by_file = Report(), Report()
    if asked.rows:
        fuzz_rows(asked.rows, asked.seed, by_row)
    if asked.files:
        fuzz_files(asked.files, asked.seed, by_file)
    document = {
        name: {
            "inputs": report.inputs,
            "outcomes": dict(report.outcomes),
            "slowest_seconds": round(report.slowest, 2),
            "failures": report.failures[:20],
            "failed": len(report.failures),
        }
        for name, report in (("rows", by_row), ("files", by_file))
    }
    json.dump(document, sys.stdout, indent=2)
    return 1 if by_row.failures or by_file.failures else 0


if __name__ == "__main__":
    sys.exit(main())
