"""One question, one answer: each quantity at every place that states it, done again in pandas.

`told_quantities.quantities` is the table. A new output needs an entry there: `test_inventory` below
walks the keys of the JSON documents, the columns of the Parquet files, and the page.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from real_markets import REAL, write_real
from small_markets import write_lake
from told_chains import canonical, monthlies, row_of
from told_elsewhere import CELLS, ELSEWHERE, PLAIN
from told_outputs import Outputs, outputs_of
from told_quantities import Facts, Quantity, quantities

_RUN: dict[str, Any] = {"bootstrap": 100, "level": 0.8}
#: Name to (calendar, first session, further tables of the configuration).
MARKETS: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {
    "future in New York": ("XNYS", {"data": {"instrument": "future"},
                                    "execution": {"fees_bps": 1.0}}),
    "coin": ("24/7", {"data": {"instrument": "future"},
                      "execution": {"fill": "next_close", "slippage_bps": 2.0},
                      "inference": {"level": 0.9}}),
    "index in Taipei": ("XTAI", {"data": {"instrument": "index"}}),
    "fund in London, a period": ("XLON", {"data": {"instrument": "etf", "start": 5, "end": 27},
                                          "execution": {"fees_bps": 2.0}}),
    "share": ("XNYS", {"data": {"instrument": "share"}, "regime": {"book": "as_of_close"},
                       "execution": {"fixed_per_share": 0.01}}),
}  # fmt: skip
SESSIONS = 30
TESTS = Path(__file__).resolve().parents[1]


def _toml(tables: dict[str, dict[str, Any]]) -> str:
    lines = []
    for name, table in tables.items():
        lines.append(f"[{name}]")
        for key, value in table.items():
            text = str(value) if key in ("start", "end") else _value(value)
            lines.append(f"{key} = {text}")
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_value(v)}" for k, v in value.items()) + " }"
    return repr(value).replace("'", '"')


def _market(name: str, folder: Path) -> Outputs:
    calendar, given = MARKETS[name]
    bars = write_lake(folder, calendar, sessions=SESSIONS)
    data = {"lake": "lake", "underlying": "MKT", "bars": "bars.parquet"} | given["data"]
    for key in ("start", "end"):
        if key in data:
            data[key] = f"{bars['session'].iloc[data[key]]:%Y-%m-%d}"
    config = given | {"data": data, "inference": _RUN | given.get("inference", {})}
    (folder / "run.toml").write_text(_toml(config), encoding="utf-8")
    return outputs_of(name, folder, calendar, config)


def _real_market(name: str, shared: Path, folder: Path) -> Outputs:
    real = REAL[name]
    bars = write_real(real, shared, folder)
    data: dict[str, Any] = {
        "lake": "lake", "underlying": real.underlying, "bars": "bars.parquet"
    }  # fmt: skip
    data |= real.given["data"]
    for key in ("start", "end"):
        if key in data:
            data[key] = f"{bars['session'].iloc[data[key]]:%Y-%m-%d}"
    config = real.given | {"data": data, "inference": _RUN | real.given.get("inference", {})}
    (folder / "run.toml").write_text(_toml(config), encoding="utf-8")
    return outputs_of(name, folder, real.calendar, config, real=True)


def _params() -> list[Any]:
    """Return the markets; the default suite takes one real sample, in the place of its twin."""
    names = [*MARKETS, *REAL]
    return [
        pytest.param(name, marks=pytest.mark.slow)
        if name in ("index in Taipei", "future in New York", "share")
        or (name in REAL and name != "TAIEX")
        else name
        for name in names
    ]


@pytest.fixture(scope="module", params=_params())
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    folder = tmp_path_factory.mktemp("market")
    if request.param in REAL:
        return _real_market(request.param, request.getfixturevalue("shared_data"), folder)
    return _market(request.param, folder)


@pytest.fixture(scope="module")
def stated(told: Outputs) -> list[Quantity]:
    return list(quantities(told, _monthly(told.calendar)))


def _monthly(calendar: str) -> set[Any]:
    return monthlies(calendar, (2014, 2015, 2021, 2024, 2025, 2026))


def test_every_place_says_the_same(stated: list[Quantity]) -> None:
    wrong = [
        f"{q.name}, {p.where}: {str(p.value)[:300]!r}, recomputed {str(q.expected)[:300]!r}"
        for q in stated
        for p in q.places
        if not p.agrees(q.expected)
    ]
    assert not wrong, "\n".join(wrong)


def test_headings_state_the_level(told: Outputs) -> None:
    level = told.documents["results.json"]["provenance"]["level"]
    assert level == told.config["inference"]["level"]
    columns = [str(c) for frame in told.page.tables.values() for c in frame.columns]
    said = re.findall(r"([\d.]+) % interval", " ".join([*columns, told.page.text]))
    assert set(said) == {f"{100 * level:g}"}


def test_rows_of_real_chains(told: Outputs) -> None:
    """The first, a middle and the last session, from the vendor's own file by pandas and scipy.

    SPX is held against its expected tables (`data/exposure/test_engine_against_expected.py`).
    """
    if not told.real or told.name == "SPX":
        pytest.skip("chains without quotes are recomputed for every session, SPX elsewhere")
    facts = Facts(told, set())
    chains = canonical(told.name, told.folder, facts.clock)
    sign = -1.0 if told.config.get("regime", {}).get("dealer_model") == "inverted" else 1.0
    stored = facts.exported
    wrong = []
    for day in (stored.index[0], stored.index[len(stored) // 2], stored.index[-1]):
        chain = chains[chains["session"] == day]
        expected = row_of(chain, facts.clock, facts.book, sign, _monthly(told.calendar))
        for column, value in expected.items():
            found = float(stored.loc[day, column])
            if found != pytest.approx(value, rel=1e-7, abs=1e-9, nan_ok=True):
                wrong.append(f"{day:%Y-%m-%d} {column}: {found!r}, recomputed {value!r}")
    assert not wrong, "\n".join(wrong)


def _leaves(value: Any, names: set[str], path: str = "") -> set[str]:
    """Return the paths of a document's values: list indices as [], names as *, years as YEAR."""
    if isinstance(value, dict):
        found: set[str] = set()
        for key, inner in value.items():
            word = "*" if key in names else re.sub(r"^\d{4}$", "YEAR", key)
            found |= _leaves(inner, names, f"{path}.{word}".lstrip("."))
        return found
    if isinstance(value, list):
        return set().union(*(_leaves(inner, names, f"{path}.[]".lstrip(".")) for inner in value))
    return {path}


def _general(path: str, names: set[str]) -> str:
    words = ["*" if w in names else re.sub(r"^\d{4}$", "YEAR", w) for w in path.split(".")]
    return ".".join("[]" if w.isdigit() else w for w in words)


def _said(told: Outputs) -> set[str]:
    """Return every output of a market by name."""
    names = set(told.documents["results.json"]["strategies"])
    said = {f"results.json {p}" for p in _leaves(told.documents["results.json"], names)}
    for document in ("profile", "explain", "nightly", "diff", "leakcheck", "rebuild"):
        said |= {f"{document} {p}" for p in _leaves(told.documents[document], names)}
    said |= {f"test {p}" for p in _leaves(told.documents["test"], names)}
    for table in ("equity", "orders", "trades", "regimes", "ledger", "inputs"):
        said |= {f"{table}.parquet {c}" for c in told.frames[table].columns}
    said |= {f"fact {label}" for label in told.page.facts}
    said |= {f"note {label}" for label, note in told.page.notes.items() if note}
    said |= {
        f"table {t} {c}"
        for t, frame in told.page.tables.items()
        for c in frame.columns
        if not str(c).endswith("% interval") and _column(str(c)) not in CELLS.get(t, set())
    }
    said |= {f"figure {f} {k}" for f, traces in told.page.figures.items() for k in traces}
    return said


def _column(heading: str) -> str:
    """Return a heading without the currency that follows an amount."""
    return re.sub(r"^(Fees|Result) \S+$", r"\1", heading)


def _held(stated: list[Quantity], told: Outputs) -> set[str]:
    """Return the outputs that the table of quantities holds."""
    names = set(told.documents["results.json"]["strategies"])
    held = set()
    for place in (p.where for q in stated for p in q.places):
        document, _, path = place.partition(" ")
        held.add(f"{document} {_general(path, names)}" if document != "table" else place)
    return held


def test_every_output_has_an_entry(stated: list[Quantity], told: Outputs) -> None:
    """A new key, column, fact, table or trace is held by a quantity, or says what holds it."""
    patterns = [re.sub(r"\[\]", "[[]]", p) for p in ELSEWHERE]
    new = [
        output
        for output in sorted(_said(told) - _held(stated, told))
        if not any(fnmatchcase(output, pattern) for pattern in patterns)
    ]
    assert not new, "\n".join(new)


def test_what_holds_an_output_exists() -> None:
    for pattern, held in ELSEWHERE.items():
        if held in PLAIN:
            continue
        path, _, name = held.partition("::")
        source = (TESTS / path).read_text(encoding="utf-8")
        assert re.search(rf"^def {name}\(", source, re.MULTILINE), pattern


def test_there_are_many(stated: list[Quantity], told: Outputs) -> None:
    """A market whose outputs shrink unnoticed would agree with itself for nothing.

    ``pytest tests/consistency -m "slow or not slow" -rP`` prints the numbers of each market: pairs
    are those of the places of one quantity, its recomputation among them.
    """
    places = [len(q.places) for q in stated]
    pairs = sum(n * (n + 1) // 2 for n in places)
    print(  # noqa: T201
        f"{told.name}: {len(stated)} quantities, {sum(places)} places, {pairs} pairs"
    )
    assert len(stated) > 600
    assert sum(places) > 1500
