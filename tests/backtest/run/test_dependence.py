"""What a run's results depend on, and what they must not depend on, one thing at a time.

Whatever acts changes the content id, and the results where it acts; everything else changes
neither. A setting that no line of this file names fails the first test.
"""

from __future__ import annotations

import json
import locale
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from make_lake import forget_rebuilt
from pydantic import BaseModel
from small_markets import write_lake

from gexlab.backtest.run import provenance
from gexlab.backtest.run.backtest import backtest
from gexlab.backtest.run.config import Config
from gexlab.backtest.run.config_sections import SeriesConfig, StrategyConfig
from gexlab.backtest.run.context import open_run
from gexlab.backtest.run.documents import orders_table, results_document
from gexlab.backtest.run.load_config import parse_config
from gexlab.data.lake.lake import open_lake
from gexlab.data.lake.writer import write_sessions
from gexlab.data.regimes.rebuild import rebuild

SESSIONS = 24
OWN = """
from gexlab.strategies import Rule

class Mine(Rule):
    name = "mine"

    def target(self):
        return {size}
"""
LAKE: dict[str, Any] = {
    "data": {
        "lake": "lake", "underlying": "MKT", "instrument": "etf", "bars": "bars.parquet",
        "bars_where": {"who": "a"}, "intraday": "intraday.parquet",
        "intraday_where": {"who": "a"},
    },
    "regime": {
        "dealer_model": "signed", "positions": "positions.parquet",
        "definition": {"rate_curve": "curve.csv"},
    },
    "series": {"vix": {"path": "vix.csv", "known": "close", "where": {"who": "a"}}},
    "strategies": [
        {"name": "fade-long-follow-short"},
        {"name": "by-vix", "filter": "percentile", "on": "vix", "window": 6, "enter": 0.6},
    ],
    "execution": {"fees_bps": 1.0},
    "inference": {"bootstrap": 100},
}  # fmt: skip
SERIES = {
    **LAKE,
    "regime": {
        "source": "series",
        "series": {"path": "gex.csv", "known": "close", "where": {"who": "a"}},
    },
}


@dataclass(frozen=True)
class Outcome:
    """What a run found, and the id of what it was found from."""

    ident: str
    found: str


def run(folder: Path, document: dict[str, Any]) -> Outcome:
    """Run a configuration; the results are all that it says but the provenance."""
    return outcome(parse_config(document, folder))


def outcome(config: Config) -> Outcome:
    with open_run(config) as opened:
        result = backtest(config, market=opened.market)
        found = results_document(result)
        assert found.pop("provenance")["content_id"] == opened.content_id
        orders = orders_table(result).to_csv(float_format="%.17g")
        rows = result.regime.table.to_csv(float_format="%.17g")
        return Outcome(opened.content_id, json.dumps(found, sort_keys=True) + orders + rows)


def write_inputs(folder: Path) -> None:
    """Write a small market, and beside it everything that a configuration can name."""
    bars = write_lake(folder, "XNYS", sessions=SESSIONS)
    lake = open_lake(folder / "lake")
    chains = pd.concat(pd.read_parquet(file) for file in lake.chain_files("MKT"))
    key = ["session", "expiry", "settlement", "root", "strike", "right", "known_at"]
    # the dealers change sides every fourth session
    turn = chains["session"].rank(method="dense").astype(int) // 4 % 2 * 2 - 1
    sign = chains["right"].map({"C": 1.0, "P": -0.5}) * turn
    positions = chains[key].assign(position=sign * chains["open_interest"])
    positions.to_parquet(folder / "positions.parquet")
    days = [f"{entry.session}" for entry in lake.sessions("MKT")]
    early = str(date.fromisoformat(days[0]) - timedelta(days=4))
    rates = [(day, 0.02 + 0.0001 * i) for i, day in enumerate([early, *days])]
    pd.DataFrame(rates, columns=["session", "rate"]).to_csv(folder / "curve.csv", index=False)
    for name, scale in (("vix", 15.0), ("gex", 0.0)):
        value = [scale + (i * 5 % 7) - 3.0 for i in range(len(days))]
        _twice(pd.DataFrame({"session": days, "value": value}), ["value"]).to_csv(
            folder / f"{name}.csv", index=False
        )
    prices = ["open", "high", "low", "close"]
    _twice(bars, prices).to_parquet(folder / "bars.parquet", index=False)
    moments = [pd.Timestamp(f"{day} 10:00", tz="America/New_York") for day in days]
    hours = [
        bars.assign(timestamp=[m + pd.Timedelta(hours=h) for m in moments], close=bars[c])
        for h, c in ((0, "open"), (1, "close"))
    ]
    both = pd.concat(hours).drop(columns="session")
    _twice(both, prices).to_parquet(folder / "intraday.parquet", index=False)
    (folder / "own.py").write_text(OWN.format(size=1.0), encoding="utf-8")


def _twice(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return rows of ``who`` a and b, b a bit different, with a second set of columns."""
    other = frame.assign(who="b", **{c: frame[c].iloc[::-1].to_numpy() for c in columns})
    both = pd.concat([frame.assign(who="a"), other], ignore_index=True)
    return both.assign(**{f"{c}2": both[c] * (-1.0 if c == "value" else 1.5) for c in columns})


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    write_inputs(folder)
    return folder


@pytest.fixture(scope="module")
def before(base: Path) -> dict[str, Outcome]:
    return {"lake": run(base, LAKE), "series": run(base, SERIES)}


@pytest.fixture
def place(base: Path, before: dict[str, Outcome], tmp_path: Path) -> Path:
    """Return a copy of the market, to be changed; what runs read of it is rebuilt."""
    shutil.copytree(base, tmp_path / "copy")
    return tmp_path / "copy"


#: Setting to another value, and whether the results of the small market change with it (None:
#: either way).
SETTINGS: dict[str, tuple[Any, bool]] = {
    "data.instrument": ("share", True),
    "data.bars_columns": (
        {"close": "close2", "open": "open2", "high": "high2", "low": "low2"},
        True,
    ),
    "data.bars_where": ({"who": "b"}, True),
    "data.intraday": (None, True),
    "data.intraday_columns": ({"close": "open"}, True),
    "data.intraday_where": ({"who": "b"}, True),
    "data.intraday_timezone": ("America/Chicago", False),
    "data.bars_timezone": ("Asia/Tokyo", False),
    "data.intraday_hours": ("all", False),
    "data.start": (date(2025, 1, 8), True),
    "data.end": (date(2025, 1, 31), True),
    "data.simulated": (True, True),
    "data.total_return": (True, True),
    "data.trusted": ((date(2025, 1, 8),), False),
    "data.traded_value": (1e9, False),
    "data.calendar": ("NYSE", False),
    "data.monthly": ("third_friday", False),
    "data.currency": ("USD", False),
    "data.multiplier": (100.0, False),
    "data.settlement": ("PM", False),
    "data.oi_lag_sessions": (1, False),
    "regime.dealer_model": ("sql: 1", True),
    "regime.book": ("as_of_close", True),
    "regime.band": (0.9, True),
    "regime.definition": ({"rate": 0.1}, True),
    "regime.promote": (("no_carry",), False),  # nothing to promote here; see test_promote
    "execution.fill": ("next_close", True),
    "execution.fees_bps": (2.0, True),
    "execution.slippage_bps": (1.0, True),
    "execution.fixed_per_share": (0.01, True),
    "execution.half_spread": ("vix", True),
    "execution.cash_rate": (0.05, True),
    "execution.financing_rate": (0.05, True),  # named in the results; nothing is borrowed here
    "execution.borrow_rate": (0.05, True),
    "execution.dividends": ("vix", True),
    "execution.lot": ("share", True),
    "execution.stop_loss": (0.001, True),
    "execution.take_profit": (0.001, True),
    "execution.max_holding": (1, True),
    "execution.max_leverage": (0.5, True),
    "execution.cash": (1e5, True),
    # of tests that resample: a backtest draws nothing
    "inference.seed": (8, False),
    "inference.bootstrap": (101, False),
    "inference.block": (3, False),
    "inference.level": (0.8, True),
}
STRATEGY: dict[str, tuple[Any, bool]] = {
    "name": ("renamed", True),
    "filter": ("sign", True),
    "long": ("hold", True),
    "short": ("hold", True),
    "neutral": ("hold", True),
    "sizing": ({"name": "fixed", "size": 0.5}, True),
    "on": (None, True),
    "lookback": (3, True),
    "scale": ("scaled", True),
    "window": (9, True),
    "enter": (0.9, True),
    "exit": (0.55, True),
    "size": (0.25, True),
}
#: Of the regime's series, and of a named one.
SERIES_KEYS: dict[str, tuple[Any, bool | None]] = {
    "columns": ({"value": "value2"}, True),
    "known": ("next_open", None),  # later than the close, and early enough for every order
    "calendar": ("NYSE", False),
    "where": ({"who": "b"}, True),
    "scheduled": (True, False),  # exempts from a test of the leak check
}
#: Settings of bars and money: no row of a lake's regime is made of them.
BESIDE = {
    "data.bars_columns", "data.bars_where", "data.intraday", "data.intraday_columns",
    "data.intraday_where", "data.intraday_timezone", "data.bars_timezone", "data.intraday_hours",
    "data.traded_value", "data.total_return", "data.currency",
}  # fmt: skip
#: Where an input lies, or what happens before and after a run; their contents are below.
PLACES = {
    "data.lake", "data.underlying", "data.bars", "regime.source", "regime.series",
    "regime.positions",
}  # fmt: skip


def test_every_setting_is_named_here() -> None:
    named = {*SETTINGS, *PLACES}
    for name, field in Config.model_fields.items():
        if name in (
            "grid",
            "ledger",
            "nightly",
            "tournament",
        ):  # of many runs, and before and after them
            continue
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            missing = {f"{name}.{key}" for key in section.model_fields} - named
            assert not missing, f"say in SETTINGS what {missing} change"
        else:
            assert name in ("strategies", "series")
    assert set(StrategyConfig.model_fields) == set(STRATEGY)
    assert set(SeriesConfig.model_fields) == {*SERIES_KEYS, "path"}


def changed(document: dict[str, Any], path: list[Any], value: Any) -> dict[str, Any]:
    """Return a configuration with another value; None takes the key out."""
    found = deepcopy(document)
    inner: Any = found
    for key in path[:-1]:
        inner = inner[key] if isinstance(inner, list) else inner.setdefault(key, {})
    if value is None:
        inner.pop(path[-1])
    else:
        inner[path[-1]] = value
    return found


CASES: list[tuple[str, list[Any], Any, bool | None]] = [
    # what acts beside or after the regime runs on the one that is half as dear
    *(
        (
            "series" if name.startswith(("execution", "inference")) or name in BESIDE else "lake",
            name.split("."),
            *found,
        )
        for name, found in SETTINGS.items()
    ),
    *(("series", ["strategies", 1, name], *found) for name, found in STRATEGY.items()),
    *(("lake", ["series", "vix", name], *found) for name, found in SERIES_KEYS.items()),
    *(("series", ["regime", "series", name], *found) for name, found in SERIES_KEYS.items()),
]


@pytest.mark.parametrize(
    ("which", "path", "value", "acts"),
    CASES,
    ids=[f"{which}-{'.'.join(map(str, path))}" for which, path, _, _ in CASES],
)
def test_a_setting_changes_the_id_and_what_it_acts_on(
    base: Path,
    before: dict[str, Outcome],
    which: str,
    path: list[Any],
    value: Any,
    acts: bool | None,
) -> None:
    document = changed({"lake": LAKE, "series": SERIES}[which], path, value)
    if path == ["regime", "dealer_model"]:
        document = changed(document, ["regime", "positions"], None)
    after = run(base, document)
    assert after.ident != before[which].ident
    if acts is not None:
        assert (after.found != before[which].found) is acts


Change = Callable[[Path], None]


def _frame(name: str, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> Change:
    """Return a change of a table of the market."""

    def change(place: Path) -> None:
        file = place / name
        if file.suffix == ".csv":
            edit(pd.read_csv(file)).to_csv(file, index=False)
        else:
            edit(pd.read_parquet(file)).to_parquet(file, index=False)

    return change


def _nudged(column: str, factor: float) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def edit(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.copy()
        row = frame.index[SESSIONS // 2]
        frame.loc[row, column] = frame.loc[row, column] * factor
        return frame

    return edit


def _revised_chains(place: Path) -> None:
    """Ingest the chains again with other volatilities in one session."""
    from small_markets import MAP

    from gexlab.data.ingest.ingest import ingest

    table = pd.read_csv(place / "chains.csv")
    table.loc[table["session"] == table["session"].unique()[9], "iv"] = 0.3
    table.to_csv(place / "chains.csv", index=False)
    (place / "map.toml").write_text(MAP.format(calendar="XNYS", more=""), encoding="utf-8")
    ingest(
        [str(place / "chains.csv")], vendor="columns", underlying="MKT", lake=place / "lake",
        mapping=place / "map.toml",
    )  # fmt: skip


def _inverted(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(position=-frame["position"])


#: An input of the lake's or the series' configuration, and a change of it that acts.
INPUTS: dict[str, tuple[str, Change]] = {
    "bars": ("lake", _frame("bars.parquet", _nudged("close", 1.0001))),
    "intraday": ("lake", _frame("intraday.parquet", _nudged("close", 1.0001))),
    "named series": ("lake", _frame("vix.csv", _nudged("value", 0.2))),
    "positions": ("lake", _frame("positions.parquet", _inverted)),
    "curve": ("lake", _frame("curve.csv", lambda f: f.assign(rate=f["rate"] + 0.05))),
    "chains": ("lake", _revised_chains),
    "regime series": ("series", _frame("gex.csv", _nudged("value", -1.0))),
}


@pytest.mark.parametrize("name", INPUTS)
def test_an_input_changes_id_and_results(
    place: Path, before: dict[str, Outcome], name: str
) -> None:
    which, change = INPUTS[name]
    change(place)
    after = run(place, {"lake": LAKE, "series": SERIES}[which])
    assert after.ident != before[which].ident
    assert after.found != before[which].found


def test_a_definition_file_counts_by_what_it_says(place: Path) -> None:
    document = changed(LAKE, ["regime", "definition"], "d.toml")
    found = []
    for text in ("rate = 0.01", "rate = 0.09", "# the same\nrate=0.010"):
        (place / "d.toml").write_text(text + "\n", encoding="utf-8")
        found.append(run(place, document))
    assert found[0].ident != found[1].ident
    assert found[0].found != found[1].found
    assert found[0] == found[2]


def test_a_users_own_component_counts_by_its_code(place: Path) -> None:
    document = changed(LAKE, ["strategies", 1, "long"], "own.py:Mine")
    found = [run(place, document)]
    (place / "own.py").write_text(OWN.format(size=0.5), encoding="utf-8")
    found.append(run(place, document))
    assert found[0].ident != found[1].ident
    assert found[0].found != found[1].found


def test_a_configuration_changed_in_python_is_another(
    base: Path, before: dict[str, Outcome]
) -> None:
    config = parse_config(LAKE, base)
    assert outcome(config) == before["lake"]
    execution = config.execution.model_copy(update={"fees_bps": 9.0})
    after = outcome(config.model_copy(update={"execution": execution}))
    assert after.ident != before["lake"].ident
    assert after.found != before["lake"].found


@pytest.mark.parametrize("name", ["gexlab", "numpy"])
def test_another_version_is_another_id(
    base: Path, before: dict[str, Outcome], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    real = metadata.version
    monkeypatch.setattr(provenance, "version", lambda n: "0.0.1" if n == name else real(n))
    after = run(base, LAKE)
    assert after.ident != before["lake"].ident
    assert after.found == before["lake"].found


# -- what must not act


def afresh(place: Path) -> Path:
    """Return the market with nothing rebuilt, so that everything is computed."""
    forget_rebuilt(place / "lake")
    return place


@pytest.fixture
def wrong_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the clock that gexlab sees: its own ``datetime`` and ``time``."""
    ahead = request.param

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            moved: datetime = datetime.now(tz) + ahead
            return moved

    for name, module in list(sys.modules.items()):
        if name.startswith("gexlab.") and getattr(module, "datetime", None) is datetime:
            monkeypatch.setattr(module, "datetime", Wrong)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + ahead.total_seconds())


@pytest.mark.parametrize(
    "wrong_clock", [timedelta(days=9000), timedelta(days=-9000)], indirect=True
)
@pytest.mark.usefixtures("wrong_clock")
def test_the_clock(place: Path, before: dict[str, Outcome]) -> None:
    from gexlab.backtest.run import backtest as module

    year = module.datetime.now(UTC).year  # type: ignore[attr-defined]
    assert abs(year - datetime.now(UTC).year) > 20
    assert run(afresh(place), LAKE) == before["lake"]
    for file in place.rglob("*"):  # a copy, a restored backup
        os.utime(file, (0, 0))
    assert run(place, LAKE) == before["lake"]


OTHERS: list[dict[str, Any]] = [
    {"dealer": "inverted"},
    {"dealer": "naive", "books": ("as_of_close",)},
    {"dealer": "naive", "books": ("post_expiry",), "side_tables": False},
]


@pytest.mark.parametrize("order", [(0, 1, 2, "own"), ("own", 2, 1, 0), (1, "own", 0, 2)])
def test_the_order_of_rebuilds(
    place: Path, before: dict[str, Outcome], order: tuple[int | str, ...]
) -> None:
    afresh(place)
    for which in order:
        if isinstance(which, str):
            assert run(place, LAKE) == before["lake"]
        else:
            rebuild(place / "lake", "MKT", **OTHERS[which])
    assert run(place, LAKE) == before["lake"]


def test_other_users_definitions_positions_and_files(
    place: Path, before: dict[str, Outcome]
) -> None:
    lake = place / "lake"
    other = deepcopy(LAKE)
    other["regime"] |= {"positions": "theirs.parquet", "definition": {"rate": 0.07}}
    table = pd.read_parquet(place / "positions.parquet")
    table.assign(position=-table["position"]).to_parquet(place / "theirs.parquet")
    curve = pd.read_csv(place / "curve.csv")
    curve.assign(rate=0.11).to_csv(place / "theirs.csv", index=False)
    assert run(place, other).ident != before["lake"].ident
    other["regime"] |= {"definition": {"rate_curve": "theirs.csv"}}
    assert run(place, other).ident != before["lake"].ident
    for name in ("notes.txt", "chains/notes.txt", "regimes/notes.txt", "truth.txt"):
        (lake / name).write_text("theirs", encoding="utf-8")
    (lake / "regimes" / "underlying=MKT" / "year=1999").mkdir()
    shutil.copytree(lake / "chains" / "underlying=MKT", lake / "chains" / "underlying=OTHER")
    rows = pa.concat_tables(
        [pq.ParquetFile(path).read() for path in open_lake(lake).chain_files("MKT")]
    )
    theirs = rows.set_column(0, "underlying", pa.array(["THEIRS"] * len(rows)))
    write_sessions(open_lake(lake), "THEIRS", theirs)
    assert run(place, LAKE) == before["lake"]


def test_what_nightly_does_besides(base: Path, before: dict[str, Outcome]) -> None:
    night = {"paths": ["incoming"], "out": "elsewhere", "vendor": "canonical", "snapshot": True}
    assert run(base, {**LAKE, "nightly": night}) == before["lake"]


def test_the_working_directory(
    place: Path, tmp_path: Path, before: dict[str, Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(afresh(Path("copy")), LAKE) == before["lake"]


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="no time zones by environment")
def test_the_time_zone(
    place: Path, before: dict[str, Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Pacific/Kiritimati")
        time.tzset()
        found = run(afresh(place), LAKE)
    time.tzset()
    assert found == before["lake"]


@pytest.fixture
def another_locale() -> Iterator[None]:
    usual = locale.setlocale(locale.LC_ALL)
    for name in ("de_DE.UTF-8", "tr_TR.UTF-8", "C.UTF-8", "C"):
        try:
            locale.setlocale(locale.LC_ALL, name)
            break
        except locale.Error:
            continue
    yield
    locale.setlocale(locale.LC_ALL, usual)


@pytest.mark.usefixtures("another_locale")
def test_the_locale(place: Path, before: dict[str, Outcome]) -> None:
    assert run(afresh(place), LAKE) == before["lake"]


@pytest.mark.parametrize("cores", [1, 7])
def test_the_number_of_cores(
    place: Path, before: dict[str, Outcome], monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert run(afresh(place), LAKE) == before["lake"]


PROGRAM = """
import json, sys
sys.path[:0] = json.loads(sys.argv[2])
from pathlib import Path
from test_dependence import LAKE, run
found = run(Path(sys.argv[1]), LAKE)
print(json.dumps([found.ident, found.found]))
"""


def test_another_process_in_another_environment(
    place: Path, tmp_path: Path, before: dict[str, Outcome]
) -> None:
    """One core, another zone, locale, home, working directory and order of sets, all at once."""
    changes = {
        "TZ": "Asia/Kathmandu", "LC_ALL": "C", "HOME": str(tmp_path), "PYTHONHASHSEED": "12345",
        "PYTHON_CPU_COUNT": "1", "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "2",  # here it is one: see conftest.py
    }  # fmt: skip
    here = Path(__file__).resolve()
    paths = [str(here.parent), *(str(here.parents[2] / name) for name in ("twin", "bench"))]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(afresh(place)), json.dumps(paths)],
        env={**os.environ, **changes}, cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert Outcome(*json.loads(done.stdout)) == before["lake"]
