"""Everything that the commands of one small market say: documents, tables, page and terminal."""

from __future__ import annotations

import html
import io
import json
import re
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from page_data import figures_of

from gexlab.reports.cli import app as cli

#: A number as pages and terminals write it.
NUMBER = re.compile(r"[\u2212+-]?(?:NT[$]|[$₹£€])?[\d,]+(?:\.\d+)?")
_TABLES = ("equity", "orders", "trades", "ledger", "inputs")


@dataclass(frozen=True)
class Place:
    """What one place says; `shown` for text, whose number is `scale` times the quantity."""

    where: str
    value: Any
    shown: bool = False
    scale: float = 1.0

    def agrees(self, expected: Any) -> bool:
        """Return whether the place says the expected value, to the digits it prints."""
        if self.shown:
            return _shows(str(self.value), expected, self.scale)
        return _same(self.value, expected)


def _same(found: Any, expected: Any) -> bool:
    if expected is None or (isinstance(expected, float) and expected != expected):
        return found is None or found != found
    if isinstance(expected, (list, tuple)):
        return len(found) == len(expected) and all(map(_same, found, expected))
    if isinstance(expected, dict):
        return set(found) == set(expected) and all(_same(found[k], expected[k]) for k in expected)
    if isinstance(expected, float):
        if found is None:
            return False
        return bool(abs(found - expected) <= 1e-9 * abs(expected) + 1e-9)
    return bool(found == expected)


def _shows(text: str, expected: Any, scale: float) -> bool:
    """Return whether a text is the expected text, or shows the expected number as rounded."""
    if expected is None or (isinstance(expected, float) and expected != expected):
        return text.strip() == "\u2013"
    if isinstance(expected, str):
        return text.strip() == expected
    found = NUMBER.search(text)
    if found is None:
        return False
    plain = re.sub(r"NT|[,$₹£€+]", "", found[0]).replace("\u2212", "-")
    decimals = len(plain.partition(".")[2])
    return abs(float(plain) - scale * float(expected)) <= 0.5000001 * 10.0**-decimals


def _text(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


@dataclass(frozen=True)
class Page:
    """A report's facts, tables, figures and sentences."""

    facts: dict[str, str]
    notes: dict[str, str]
    beside: dict[str, str]
    tables: dict[str, pd.DataFrame]
    titles: dict[str, str]
    figures: dict[str, dict[str, dict[str, Any]]]
    text: str

    @classmethod
    def of(cls, markup: str) -> Page:
        """Read a page."""
        figures = {
            name: {str(trace.get("name")): trace for trace in spec["data"]}
            for name, spec in figures_of(markup).items()
        }
        plain = re.sub(r"<(script|style).*?</\1>", "", markup, flags=re.DOTALL)
        facts, notes, beside = {}, {}, {}
        for label, body in re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", plain, re.DOTALL):
            value, *small = re.split(r"(<small.*?</small>)", body)
            before = [s for s in small if 'class="beside"' in s]
            facts[_text(label)] = _text(value)
            notes[_text(label)] = _text(" ".join(s for s in small if s not in before))
            beside[_text(label)] = _text(" ".join(before))
        tables, titles = {}, {}
        block = r'<figure class="table[^"]*" id="([a-z-]+)">(.*?)</figure>'
        for name, body in re.findall(block, plain, re.DOTALL):
            rows = [
                [_text(c) for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
                for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)
            ]
            tables[name] = pd.DataFrame(rows[1:], columns=pd.Index(rows[0]))
            caption = re.search(r"<figcaption>(.*?)</figcaption>", body, re.DOTALL)
            titles[name] = _text(caption[1]) if caption else ""
        return cls(facts, notes, beside, tables, titles, figures, _text(plain))


@dataclass(frozen=True)
class Outputs:
    """What was said of one market."""

    name: str
    calendar: str
    config: dict[str, Any]
    folder: Path
    documents: dict[str, Any]
    frames: dict[str, pd.DataFrame]
    page: Page
    terminal: dict[str, str]
    real: bool = False

    @property
    def contracts(self) -> pd.Series[int]:
        """Rows of the lake by session."""
        days = [pd.read_parquet(f, columns=["session"]) for f in self.lake_files]
        every = pd.to_datetime(pd.concat(days)["session"])
        return every.groupby(every).size()

    @property
    def lake_files(self) -> list[Path]:
        """Return the files of the lake's chains."""
        return sorted((self.folder / "lake" / "chains").rglob("*.parquet"))

    def at(self, document: str, path: str) -> Place:
        """Return what a JSON document says at a path of keys and indices between dots."""
        value = self.documents[document]
        for key in path.split("."):
            value = value[int(key)] if isinstance(value, list) else value[key]
        return Place(f"{document} {path}", value)

    def fact(self, label: str, scale: float = 1.0, *, note: bool = False) -> Place:
        """Return a fact of the page, or the small print beside it."""
        kind, held = ("note", self.page.notes) if note else ("fact", self.page.facts)
        return Place(f"{kind} {label}", held[label], True, scale)

    def cell(self, table: str, row: str, column: str, scale: float = 1.0) -> Place:
        """Return a cell of a table of the page: the row whose first cells say `row`."""
        frame = self.page.tables[table]
        first = frame.iloc[:, 0].astype(str)
        both = first + " " + frame.iloc[:, 1].astype(str)
        hit = frame[(first == row) | (both == row)]
        assert len(hit) == 1, (table, row, first.tolist())
        chosen = [c for c in frame.columns if str(c) == column or str(c).startswith(column + " ")]
        assert chosen, (table, column, frame.columns.tolist())
        place = hit.columns.tolist().index(chosen[0])
        return Place(f"table {table} {row} {column}", hit.iloc[0, place], True, scale)

    def sentence(self, pattern: str, scale: float = 1.0) -> Place:
        """Return the first group of a pattern in the page's text."""
        found = re.search(pattern, self.page.text)
        return Place(f"sentence {pattern}", found[1] if found else "not there", True, scale)

    def printed(self, command: str, pattern: str, scale: float = 1.0) -> Place:
        """Return the first group of a pattern in a command's terminal output."""
        found = re.search(pattern, self.terminal[command], re.MULTILINE)
        return Place(
            f"terminal of {command} {pattern}", found[1] if found else "not there", True, scale
        )


def _run(*words: str, codes: tuple[int, ...] = (0,)) -> str:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        ended = cli.run(list(words))
    assert ended in codes, (words, err.getvalue()[-2000:])
    return out.getvalue()


def outputs_of(
    name: str, folder: Path, calendar: str, config: dict[str, Any], *, real: bool = False
) -> Outputs:
    """Run every command of a market whose lake, bars and ``run.toml`` lie in a folder."""
    file, lake, out = str(folder / "run.toml"), str(folder / "lake"), folder / "out"
    at, underlying = ["--lake", lake], config["data"]["underlying"]
    bars = ["--bars", str(folder / "bars.parquet")]
    book = config.get("regime", {}).get("book", "post_expiry")
    nights = folder / "nights.toml"
    text = (folder / "run.toml").read_text(encoding="utf-8")
    nights.write_text(text + '[nightly]\nout = "nights"\n', encoding="utf-8")
    own = {"rate": 0.0} | config.get("regime", {}).get("definition", {})
    for which, settings in (("a", own), ("b", own | {"rate": 0.1})):
        lines = [f"{key} = {value}\n" for key, value in settings.items()]
        (folder / f"{which}.toml").write_text("".join(lines), encoding="utf-8")
    carry = ["--rate", str(own["rate"]), "--dividend-yield", str(own.get("dividend_yield", 0.0))]
    dealer = ["--dealer", config.get("regime", {}).get("dealer_model", "naive")]
    pair = [str(folder / "a.toml"), str(folder / "b.toml")]
    terminal = {"backtest": _run("backtest", file, "--out", str(out))}
    table = folder / "regimes.parquet"
    _run("regimes", *at, "--underlying", underlying, "--out", str(table))
    frames = {
        "bars": pd.read_parquet(folder / "bars.parquet"),
        "regimes": pd.read_parquet(table),
        **{k: pd.read_parquet(out / f"{k}.parquet") for k in _TABLES},
    }
    told = frames["regimes"]
    day = f"{told[told['book'] == book]['session'].iloc[-1]:%Y-%m-%d}"
    if "end" in config["data"]:
        day = str(config["data"]["end"])
    one = [*at, "--underlying", underlying, "--session", day, "--book", book, "--json"]
    question = "SELECT * FROM regimes WHERE book = 'BOOK' ORDER BY session".replace("BOOK", book)
    said = {
        "backtest": _run("backtest", file, "--out", str(folder / "again"), "--json"),
        "regimes": _run("regimes", *at, "--underlying", underlying, "--book", book, "--json"),
        "profile": _run("profile", *one),
        "explain": _run("explain", *one),
        "check": _run("check", *at, "--underlying", underlying, *bars, *carry, "--json"),
        "test": _run("test", "fade-follow", file, "--out", str(folder / "tests"), "--json"),
        "leakcheck": _run("leakcheck", file, "--cuts", "4", "--json",
                          codes=(0, 1) if real else (0,)),  # bars made of spots are leaks
        "sql": _run("sql", question, *at, "--json"),
        "diff": _run("diff", *pair, *at, "--underlying", underlying, "--book", book, *bars,
                     *dealer, "--json"),
        "nightly": _run("nightly", str(nights), "--json", codes=(0, 4)),
        "rebuild": _run("rebuild", *at, "--underlying", underlying, "--definition", pair[0],
                        *dealer, "--json"),
    }  # fmt: skip
    documents = {key: json.loads(value) for key, value in said.items()}
    for key, path in (
        ("results.json", out / "results.json"),
        ("hypotheses.json", folder / "tests" / "hypotheses.json"),
        ("nights/results.json", folder / "nights" / "results.json"),
    ):
        documents[key] = json.loads(path.read_text(encoding="utf-8"))
    _run("rebuild", *at, "--underlying", underlying, "--definition", pair[1], *dealer)
    for which in ("a", "b"):
        stored = folder / f"{which}.parquet"
        _run("regimes", *at, "--underlying", underlying, "--definition",
             documents["diff"][f"{'first' if which == 'a' else 'second'}_id"],
             "--out", str(stored))  # fmt: skip
        frames[f"regimes {which}"] = pd.read_parquet(stored)
    page = Page.of((out / "report.html").read_text(encoding="utf-8"))
    return Outputs(name, calendar, config, folder, documents, frames, page, terminal, real)
