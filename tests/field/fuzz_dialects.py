"""One truth in many dialects: the same lake, or a refusal that names what is ambiguous.

    python tests/field/fuzz_dialects.py [--start 0] [--count 20000] [--seed 1] [--log FILE]

Dates, moments and their zones, numbers, separators, encodings, line ends, words, column orders,
types, containers and what stands beside the rows are drawn independently of each other. Never may
another chain come of it. Combination number i is the same in every run: a run that stopped goes on
with ``--start``; ``--log`` keeps what came of each hundred.
"""

from __future__ import annotations

import argparse
import bz2
import csv
import gzip
import io
import json
import random
import re
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal
from unittest import mock

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
from dialects import (
    CLOCKS,
    CONTAINERS,
    DATES,
    DELIMITERS,
    DRESSES,
    ENCODINGS,
    EXTRAS,
    NUMBERS,
    RIGHTS,
    STAMPS,
    TRUTHS,
    TYPED_DAYS,
    TYPED_STAMPS,
    Row,
    truth,
    typed_days,
    typed_stamps,
)

from gexlab.data.base.errors import GexlabError
from gexlab.data.base.sql import load_sql
from gexlab.data.ingest import read_rows as room
from gexlab.data.ingest.ingest import IngestResult, ingest
from gexlab.data.lake.connection import connect

#: What a refusal may say: which reading lacks a decision, or which key of the map gives it.
NAMED = re.compile(
    r"can be read as|cannot both be read|state decimal|state its encoding|state the encoding"
    r"|not UTF-8|state thousands"
)
#: ... or what cannot be read at all: the column and the value.
UNREADABLE = re.compile(r"column (?:for |')\S+.* holds '|occurs twice|not a header")
_MACROS = "ingest/macros"
_TIMING = '[timing]\nknown_at = "next_open"\noi_lag_sessions = 1\nsettlement = "PM"\n'
_NAMES = {"expiry": "expiry", "strike": "strike", "right": "cp", "open_interest": "oi",
          "iv": "iv", "spot": "spot"}  # fmt: skip
#: Styles of numbers that JSON has, too.
_AS_NUMBERS = ("plain", "fixed", "three decimals", "scientific", "capital exponent")
_COMPARED = ("session", "quote_ts", "root", "expiry", "settlement", "expiry_ts", "strike", "right",
             "open_interest", "oi_asof", "iv", "spot", "multiplier", "known_at")  # fmt: skip


@dataclass
class Report:
    """What came of the combinations."""

    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


@dataclass
class Written:
    """A chain in one dialect."""

    said: str
    files: dict[str, bytes]
    mapping: str
    rejects: dict[str, int] = field(default_factory=dict)
    others: int = 0


def dialect(draw: random.Random, rows: list[Row]) -> Written:
    """Return a chain as some hand would have written it."""
    container = draw.choice(CONTAINERS)
    if container in ("parquet", "feather"):
        return _typed(draw, rows, container)
    return _text(draw, rows, container)


def _typed(draw: random.Random, rows: list[Row], container: str) -> Written:
    stamp, days, ends = draw.random() < 0.4, draw.choice(TYPED_DAYS), draw.choice(TYPED_DAYS)
    moments = draw.choice(TYPED_STAMPS)
    whole = [pa.int64(), pa.int32(), pa.float64(), pa.decimal128(12, 2), pa.string()]
    strikes, interest = draw.choice([*whole[2:], pa.float32()]), draw.choice(whole)
    words, right = draw.choice(RIGHTS), draw.choice([pa.string(), pa.large_string()])
    sessions = [row.session for row in rows]
    columns = {
        "day": typed_stamps(moments, sessions) if stamp else typed_days(days, sessions),
        "expiry": typed_days(ends, [row.expiry for row in rows]),
        "strike": pa.array([row.strike for row in rows]).cast(strikes),
        "cp": pa.array([words["CP".index(row.right)] for row in rows], right),
        "oi": pa.array([row.open_interest for row in rows]).cast(interest),
        "iv": pa.array([row.iv for row in rows], pa.float64()),
        "spot": pa.array([row.spot for row in rows]),
    }
    order = draw.sample(list(columns), len(columns))
    table = pa.table({name: columns[name] for name in order})
    sink = io.BytesIO()
    if container == "parquet":
        pq.write_table(table, sink)
    else:
        feather.write_feather(table, sink)
    name = f"a.{'parquet' if container == 'parquet' else 'feather'}"
    said = f"{container}: {moments if stamp else days}, {ends}, {strikes}, {interest}, {words}"
    return Written(said, {name: sink.getvalue()}, _mapping(stamp=stamp, words=words))


def _text(draw: random.Random, rows: list[Row], container: str) -> Written:
    day, end = draw.choice(list(DATES)), draw.choice(list(DATES))
    how = draw.choice(["day", "day", "stamp", "clock"])
    stamp, zone = STAMPS[stamp_name := draw.choice(list(STAMPS))]
    clock, number = draw.choice(CLOCKS), draw.choice(list(NUMBERS))
    words, extra = draw.choice(RIGHTS), draw.choice(EXTRAS)
    dress = draw.choice([*DRESSES, *([""] * 12)])
    percent = "percent" in dress
    thousandths = extra == "strikes in 1/1000"

    def cells(row: Row) -> dict[str, str]:
        write = NUMBERS[number]
        iv = None if row.iv is None else round(row.iv * (100 if percent else 1), 6)
        found = {
            "day": stamp(row.session) if how == "stamp" else DATES[day](row.session),
            "expiry": DATES[end](row.expiry),
            "strike": write(row.strike * (1000 if thousandths else 1)),
            "cp": words["CP".index(row.right)],
            "oi": write(row.open_interest),
            "iv": "" if iv is None else write(iv),
            "spot": write(row.spot),
        }
        if how == "clock":
            found["time"] = clock
        if dress:
            column, put_on = DRESSES[dress]
            found[column] = put_on(found[column]) if found[column] else ""
        return found

    table = [cells(row) for row in rows]
    names = draw.sample(list(table[0]), len(table[0]))
    rejects: dict[str, int] = {}
    others = 0
    if extra == "others":
        names = [*names, "symbol"]
        table = [{**r, "symbol": s} for r in table for s in ("SPX", "QQQ")]
        others = len(rows)
    if extra == "negative interest":
        table.append({**table[-1], "oi": "-5", "cp": table[0]["cp"]})
        rejects = {"negative_open_interest": 1}
    if extra == "missing cells":
        table.append({**table[0], "spot": "n/a"})
        rejects = {"spot_missing": 1}
    mapping = _mapping(
        stamp=how == "stamp", words=words, zone=zone if how == "stamp" else "",
        clock=how == "clock", thousandths=thousandths, several=extra == "others",
    )  # fmt: skip
    said = (
        f"{container}: {stamp_name if how == 'stamp' else day}"
        f"{f' at {clock}' if how == 'clock' else ''}, {end}, {number}, {words}, {dress}, {extra}, "
        f"{names}"
    )
    if container in ("json", "jsonl", "columns.json", "parquet of text"):
        return Written(
            said, _records(draw, container, number, names, table), mapping, rejects, others
        )
    return _delimited(draw, container, names, table, extra, Written(said, {}, mapping, rejects,
                                                                    others))  # fmt: skip


def _records(
    draw: random.Random,
    container: str,
    style: str,
    names: list[str],
    table: list[dict[str, str]],
) -> dict[str, bytes]:
    records = [{name: row[name] for name in names} for row in table]
    if container == "parquet of text":
        sink = io.BytesIO()
        pq.write_table(pa.table({n: [r[n] for r in records] for n in names}), sink)
        return {"a.parquet": sink.getvalue()}
    # a hand that writes 4.700 for 4700 cannot write it as a number
    numbers = draw.random() < 0.5 and style in _AS_NUMBERS
    shown = [{k: _bare(v) if numbers else v for k, v in r.items()} for r in records]
    if container == "jsonl":
        return {"a.jsonl": "".join(json.dumps(r) + "\n" for r in shown).encode()}
    if container == "columns.json":
        return {"a.json": json.dumps({n: [r[n] for r in shown] for n in names}).encode()}
    return {"a.json": json.dumps(shown).encode()}


def _bare(text: str) -> Any:
    """Return a cell as a number where JSON has one for it."""
    if re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", text):
        return float(text) if re.search(r"[.eE]", text) else int(text)
    return text


def _delimited(
    draw: random.Random,
    container: str,
    names: list[str],
    table: list[dict[str, str]],
    extra: str,
    written: Written,
) -> Written:
    mark, (encoding, shown) = draw.choice(DELIMITERS), draw.choice(ENCODINGS)
    line_end, two = draw.choice(["\n", "\r\n"]), draw.random() < 0.2
    stated = not shown and draw.random() < 0.8
    header, table = _beside(extra, names, table, mark)
    quoting: Literal[0, 1] = 1 if extra == "quoted" else 0
    pad = " " if extra == "spaces" else ""

    def body(part: Sequence[dict[str, str]], *, last: bool) -> bytes:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=mark, quoting=quoting, lineterminator=line_end)
        if extra == "title line":
            writer.writerow(["Option chain of SPX"])
        writer.writerow([pad + text + pad for text in header.values()])
        for i, row in enumerate(part):
            if extra == "header again" and i == 3:
                writer.writerow(list(header.values()))
            tail = [""] if extra == "trailing delimiter" else []
            writer.writerow([pad + row[name] + pad for name in header] + tail)
        if last and extra in ("footer", "totals"):
            first = "Data provided by an exchange" if extra == "footer" else "Total"
            writer.writerow([first, *[""] * (len(header) - 2), "123"])
        out.write(line_end * 2 if extra == "empty lines" else "")
        return out.getvalue().encode(encoding)

    half = len(table) // 2
    parts = [table[:half], table[half:]] if two else [table]
    files = {f"{i}": body(p, last=i == len(parts) - 1) for i, p in enumerate(parts)}
    written.files = {_named(n, container): _packed(b, container) for n, b in files.items()}
    words = f'encoding = "{encoding}"\n' if stated else ""
    written.mapping = words + written.mapping
    written.said += f", {mark!r}, {encoding}{' stated' if stated else ''}, {line_end!r}"
    return written


def _beside(
    extra: str, names: list[str], table: list[dict[str, str]], mark: str
) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Return header and rows with further columns."""
    header = {name: name for name in names}
    if extra == "note column":
        header["note"], table = "note", [{**row, "note": "café, à 5 €"} for row in table]
    if extra == "repeated column":
        header["size "], header["size"] = "size", "size"
        table = [{**row, "size ": "1", "size": "2"} for row in table]
    if extra == "index column":
        header = {"": "", **header}
        table = [{"": str(i), **row} for i, row in enumerate(table)]
    if extra == "quoted delimiters":
        header["remark"] = "remark"
        table = [{**row, "remark": f"a{mark}b {mark}"} for row in table]
    return header, table


def _named(name: str, container: str) -> str:
    return f"{name}.{'csv' if container == 'csv' else container}"


def _packed(body: bytes, container: str) -> bytes:
    if container == "zip":
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w") as archive:
            archive.writestr("data/chain.csv", body)
            archive.writestr("readme.txt", "Our files are described on the web.\n")
        return sink.getvalue()
    packers: dict[str, Callable[[bytes], bytes]] = {
        "csv.gz": gzip.compress, "csv.bz2": bz2.compress,
        "csv.zst": lambda b: bytes(pa.compress(b, codec="zstd", asbytes=True)),
    }  # fmt: skip
    return packers[container](body) if container in packers else body


def _mapping(
    *,
    stamp: bool,
    words: tuple[str, str],
    zone: str = "",
    clock: bool = False,
    thousandths: bool = False,
    several: bool = False,
) -> str:
    day = 'quote_ts = "day"' if stamp else 'session = "day"'
    if clock:
        day = 'quote_ts = { date = "day", time = "time" }'
    lines = ["[columns]", day, *(f'{name} = "{said}"' for name, said in _NAMES.items())]
    lines += ['underlying = "symbol"'] if several else []
    if words[0] in ("Kauf",):
        lines.append(f'[values]\nright = {{ "{words[0]}" = "C", "{words[1]}" = "P" }}')
    lines += ["[scale]\nstrike = 0.001"] if thousandths else []
    timing = _TIMING if stamp or clock else f'{_TIMING}quote_time = "close"\n'
    return "\n".join([*lines, timing]) + (f'timezone = "{zone}"\n' if zone else "")


def _read(folder: Path, written: Written) -> IngestResult:
    (folder / "in").mkdir(parents=True)
    for name, body in written.files.items():
        (folder / "in" / name).write_bytes(body)
    (folder / "map.toml").write_text(written.mapping, encoding="utf-8")
    return ingest(
        [folder / "in"], vendor="columns", underlying="SPX", lake=folder / "lake",
        mapping=folder / "map.toml", dry_run=True,
    )  # fmt: skip


def _rows(result: IngestResult) -> list[tuple[Any, ...]]:
    found = []
    for row in result.first_rows:
        cells = [row[name] for name in _COMPARED]
        found.append(tuple(round(c, 9) if isinstance(c, float) else c for c in cells))
    return sorted(found, key=str)


@lru_cache(maxsize=TRUTHS)
def plain(number: int, seed: int) -> tuple[list[Row], list[tuple[Any, ...]]]:
    """Return a chain of the truth, and its lake from a plain file."""
    rows = truth(random.Random(f"{seed} truth {number}"))
    lines = ["day,expiry,strike,cp,oi,iv,spot"]
    lines += [
        f"{r.session},{r.expiry},{r.strike},{r.right},{r.open_interest:.0f},"
        f"{'' if r.iv is None else r.iv},{r.spot}" for r in rows
    ]  # fmt: skip
    written = Written("", {"a.csv": ("\n".join(lines) + "\n").encode()},
                      _mapping(stamp=False, words=("C", "P")))  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        found = _rows(_read(Path(folder), written))
    of_rows = {(r.session, r.expiry, r.strike, r.right, r.open_interest, r.iv, r.spot)
               for r in rows}  # fmt: skip
    place = [_COMPARED.index(n) for n in ("session", "expiry", "strike", "right", "open_interest",
                                          "iv", "spot")]  # fmt: skip
    assert {tuple(row[i] for i in place) for row in found} == of_rows
    return rows, found


def try_one(number: int, seed: int, folder: Path, report: Report) -> None:
    """Write a truth in drawn dialects, read it and compare."""
    draw = random.Random(f"{seed} {number}")
    rows, wanted = plain(draw.randrange(TRUTHS), seed)
    try:
        written = dialect(draw, rows)
    except UnicodeEncodeError:
        report.outcomes["not writable"] += 1
        return
    said = f"#{number} {written.said}"
    try:
        result = _read(folder, written)
    except GexlabError as error:
        kind = "refused, ambiguous" if NAMED.search(str(error)) else "refused otherwise"
        kind = "refused, unreadable" if UNREADABLE.search(str(error)) else kind
        report.outcomes[kind] += 1
        if kind == "refused otherwise":
            report.failures.append(f"{said}: refused: {error}")
        return
    if 2 * result.rows_rejected > result.rows_read:
        report.outcomes["refused, most rows rejected"] += 1
        report.failures.append(f"{said}: rejected: {result.rejects}")
        return
    report.outcomes["read"] += 1
    found = _rows(result)
    if found != wanted:
        other = next((pair for pair in zip(found, wanted, strict=False) if pair[0] != pair[1]), "")
        report.failures.append(f"{said}: ANOTHER LAKE {len(found)} {result.rejects} {other}")
    elif result.rejects != written.rejects or result.rows_of_others != written.others:
        beside = written.said.split(", ")
        if not {"footer", "totals", "header again"} & set(beside):
            report.failures.append(f"{said}: {result.rejects} {result.rows_of_others}")


class _Kept:
    """A connection for a hundred ingests: making one, with its macros, takes a third of each."""

    def __init__(self) -> None:
        self.uses = 0
        self.connection: Any = None

    def __call__(self, **given: Any) -> _Kept:
        if self.uses % 100 == 0:
            self.connection = connect(threads=1)
            self.connection.execute(load_sql(_MACROS))
        self.uses += 1
        return self

    def __enter__(self) -> Any:
        self.cursor = self.connection.cursor()
        return self.cursor

    def __exit__(self, *error: object) -> None:
        self.cursor.close()


@contextmanager
def kept_connections() -> Iterator[None]:
    """Let ingests share connections."""
    ingesting = import_module("gexlab.data.ingest.ingest")
    rows = import_module("gexlab.data.ingest.canonical_rows")

    def without_macros(name: str) -> str:
        return "SET TimeZone = 'UTC'" if name == _MACROS else load_sql(name)

    with (
        mock.patch.object(ingesting, "connect", _Kept()),
        mock.patch.object(rows, "load_sql", without_macros),
    ):
        yield


def fuzz(count: int, seed: int, start: int = 0, log: Path | None = None) -> Report:
    """Try so many combinations."""
    report = Report()
    room._SHOWN_ROWS = 1_000  # type: ignore[misc]
    for number in range(start, start + count):
        with tempfile.TemporaryDirectory(prefix="dialects-") as folder:
            try:
                try_one(number, seed, Path(folder), report)
            except Exception as error:
                report.failures.append(f"#{number} {type(error).__name__}: {error}"[:500])
        if log is not None and (number + 1) % 100 == 0:
            line = {"next": number + 1, "seed": seed, "outcomes": report.outcomes,
                    "failures": report.failures}  # fmt: skip
            log.write_text(json.dumps(line, ensure_ascii=False, indent=1), encoding="utf-8")
    return report


def main() -> None:
    """Print what came of a run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=Path)
    given = parser.parse_args()
    with kept_connections():
        report = fuzz(given.count, given.seed, given.start, given.log)
    sys.stdout.write(f"{dict(report.outcomes)}\n")
    sys.stdout.write("".join(f"{line}\n" for line in report.failures[:60]))
    sys.stdout.write(f"{len(report.failures)} failures\n")


if __name__ == "__main__":
    main()
