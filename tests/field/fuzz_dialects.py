"""One truth in many dialects: the same rows, or a refusal that names what is ambiguous.

    python tests/field/fuzz_dialects.py [--count 20000] [--seed 1]

Dates, numbers, separators, encodings, line ends, words, column orders and files are drawn
independently of each other. Never may another chain come of it.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from gexlab.data.base.errors import GexlabError
from gexlab.data.ingest import read_rows as room
from gexlab.data.ingest.ingest import ingest

#: What a refusal may say: which reading lacks a decision, or which key of the map gives it.
NAMED = re.compile(r"can be read as|cannot both be read|state decimal|state its encoding|not UTF-8")

Row = tuple[date, date, float, str, float, float, float]
CALENDAR = [date(2024, 1, d) for d in (2, 3, 5, 12, 16, 31)] + [
    date(2024, 3, d) for d in (4, 5, 28)
]
EXPIRIES = [
    date(2024, 4, 5),
    date(2024, 4, 19),
    date(2024, 5, 3),
    date(2025, 1, 17),
    date(2024, 12, 6),
]


def _epoch(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


DATES: dict[str, Callable[[date], str]] = {
    "iso": lambda d: d.isoformat(),
    "iso with midnight": lambda d: f"{d} 00:00:00",
    "utc midnight": lambda d: f"{d}T00:00:00Z",
    "compact": lambda d: f"{d:%Y%m%d}",
    "slashes": lambda d: f"{d.year}/{d.month}/{d.day}",
    "american": lambda d: f"{d:%m/%d/%Y}",
    "american short": lambda d: f"{d.month}/{d.day}/{d:%y}",
    "european": lambda d: f"{d:%d/%m/%Y}",
    "german": lambda d: f"{d:%d.%m.%Y}",
    "german short": lambda d: f"{d:%d.%m.%y}",
    "named": lambda d: f"{d:%d-%b-%Y}",
    "named upper": lambda d: f"{d:%d%b%y}".upper(),
    "spelled": lambda d: f"{d:%B} {d.day}, {d.year}",
    "weekday": lambda d: f"{d:%a %b %d %Y}",
    "two digits first": lambda d: f"{d:%y-%m-%d}",
    "excel": lambda d: str((d - date(1899, 12, 30)).days),
    "seconds": lambda d: str(_epoch(d)),
    "milliseconds": lambda d: f"{_epoch(d)}000",
    "microseconds": lambda d: f"{_epoch(d)}000000",
    "nanoseconds": lambda d: f"{_epoch(d)}000000000",
    "taiwanese": lambda d: f"{d.year - 1911}/{d:%m/%d}",
    "japanese": lambda d: f"{d.year}年{d.month}月{d.day}日",
}


def _american(x: float) -> str:
    return f"{x:,.10g}" if x == int(x) else f"{x:,.4f}".rstrip("0")


def _european(x: float) -> str:
    return _american(x).translate(str.maketrans(",.", ".,"))


NUMBERS: dict[str, Callable[[float], str]] = {
    "plain": lambda x: f"{x:.10g}",
    "fixed": lambda x: f"{x:.4f}",
    "american": _american,
    "european": _european,
    "comma": lambda x: f"{x:.10g}".replace(".", ","),
    "spaces": lambda x: _american(x).replace(",", " "),
    "apostrophes": lambda x: _american(x).replace(",", "'"),
    "scientific": lambda x: f"{x:.8e}",
}
RIGHTS = [("C", "P"), ("c", "p"), ("call", "put"), ("CALL", "PUT"), ("CE", "PE"), ("CA", "PA")]
ENCODINGS = ["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1", "gb18030"]
NAMES = ["date", "expiry", "strike", "cp", "oi", "iv", "spot"]
CANONICAL = ["session", "expiry", "strike", "right", "open_interest", "iv", "spot"]


@dataclass
class Report:
    """What came of the combinations."""

    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def truth(draw: random.Random) -> list[Row]:
    """Return a small chain."""
    days = sorted(draw.sample(CALENDAR, draw.choice([1, 2, 3])))
    ends = draw.sample(EXPIRIES, draw.choice([1, 2, 3]))
    return [
        (d, e, k, r, float(draw.randrange(1, 40_000)), draw.randrange(1100, 3900) / 10_000, 4780.25)
        for d in days
        for e in ends
        for k in (4700.0, 4750.0, 4812.5)
        for r in "CP"
    ]


def try_one(draw: random.Random, folder: Path, report: Report) -> None:
    """Write a truth in drawn dialects, read it and compare."""
    rows = truth(draw)
    session, expiry = draw.choice(list(DATES)), draw.choice(list(DATES))
    number, right = draw.choice(list(NUMBERS)), draw.choice(RIGHTS)
    delimiter, encoding = draw.choice([",", ";", "\t", "|"]), draw.choice(ENCODINGS)
    end, shuffle = draw.choice(["\n", "\r\n"]), draw.sample(range(7), 7)
    repeated, two = draw.random() < 0.1, draw.random() < 0.2
    said = f"{session}, {expiry}, {number}, {right}, {delimiter!r}, {encoding}, {end!r}, {shuffle}"

    def cells(row: Row) -> list[str]:
        write = NUMBERS[number]
        plain = [DATES[session](row[0]), DATES[expiry](row[1]), write(row[2])]
        plain += [right["CP".index(row[3])], write(row[4]), write(row[5]), write(row[6])]
        return [f'"{c}"' if delimiter in c else c for c in (plain[i] for i in shuffle)]

    header = delimiter.join(NAMES[i] for i in shuffle)
    lines = [delimiter.join(cells(row)) for row in rows]
    parts = [lines[: len(lines) // 2], lines[len(lines) // 2 :]] if two else [lines]
    for i, part in enumerate(parts):
        text = [header, *part[:3], *([header] if repeated else []), *part[3:]]
        try:
            body = (end.join(text) + end).encode(encoding)
        except UnicodeEncodeError:
            report.outcomes["not writable"] += 1
            return
        (folder / f"{i}.csv").write_bytes(body)
    mapping = [f'encoding = "{encoding}"\n'] if encoding in ("cp1252", "latin-1", "gb18030") else []
    mapping += ["[columns]\n", *(f'{c} = "{n}"\n' for c, n in zip(CANONICAL, NAMES, strict=True))]
    mapping.append(
        '[timing]\nquote_time = "close"\nknown_at = "next_open"\noi_lag_sessions = 1\n'
        'settlement = "PM"\n'
    )
    (folder / "map.toml").write_text("".join(mapping), encoding="utf-8")
    paths = [folder / f"{i}.csv" for i in range(len(parts))]
    try:
        result = ingest(
            paths, vendor="columns", underlying="SPX", lake=folder / "lake",
            mapping=folder / "map.toml", dry_run=True,
        )  # fmt: skip
    except GexlabError as error:
        named = NAMED.search(str(error)) is not None
        report.outcomes["refused, named" if named else "refused otherwise"] += 1
        if not named:
            report.failures.append(f"{said}: refused: {error}")
        return
    report.outcomes["read"] += 1
    found = sorted(_row(r) for r in result.first_rows)
    wanted = sorted((d, e, k, r, oi, round(iv, 6), s) for d, e, k, r, oi, iv, s in rows)
    if found != wanted or result.rows_rejected:
        report.failures.append(f"{said}: {result.rejects} {found[:2]} is not {wanted[:2]}")


def _row(row: dict[str, Any]) -> tuple[Any, ...]:
    return (
        row["session"], row["expiry"], row["strike"], row["right"], row["open_interest"],
        None if row["iv"] is None else round(row["iv"], 6), row["spot"],
    )  # fmt: skip


def fuzz(count: int, seed: int) -> Report:
    """Try so many combinations."""
    report, draw = Report(), random.Random(seed)
    room._SHOWN_ROWS = 1_000  # type: ignore[misc]
    with tempfile.TemporaryDirectory() as folder:
        for i in range(count):
            here = Path(folder) / str(i)
            here.mkdir()
            try:
                try_one(draw, here, report)
            except Exception as error:
                report.failures.append(f"{type(error).__name__}: {error}"[:500])
    return report


def main() -> None:
    """Print what came of a run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    report = fuzz(given.count, given.seed)
    sys.stdout.write(f"{dict(report.outcomes)}\n")
    sys.stdout.write("".join(f"{line}\n" for line in report.failures[:40]))
    sys.stdout.write(f"{len(report.failures)} failures\n")


if __name__ == "__main__":
    main()
