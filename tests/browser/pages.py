"""Pages for the browser: the whole demo, and those that break a layout.

    python tests/browser/pages.py FOLDER [CASE...]

Writes the named cases, default all of them, and prints where each page lies.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pandas as pd

from gexlab.backtest import backtest, grid, load_config, load_market, tournament
from gexlab.data.simulate import simulate
from gexlab.reports import demo, nightly, write_report
from gexlab.reports.page.grid_page import write_grid_page
from gexlab.reports.page.tournament_page import write_tournament_page

#: A strategy's name of 200 characters, half of them without a place to break.
LONG_NAME: Final = "fade " * 20 + "x" * 100

BASE: Final = """
[data]
lake = "lake"
underlying = "SIM"
instrument = "etf"
bars = "{bars}"

[inference]
bootstrap = 100
{more}
"""
GRID: Final = """
[grid]
filters = [{{ name = "percentile", window = [{windows}] }}]
rules = [{{ long = {{ rule = "fade", lookback = [{lookbacks}] }}, short = "follow" }}]
fees_bps = [{fees}]
"""


def _lake(folder: Path, years: float = 0.5, contracts: int = 200) -> Path:
    """Return a folder with a lake, made once."""
    if not (folder / "lake").is_dir():
        simulate("S1", years=years, seed=5, lake=folder / "lake", contracts=contracts,
                 intraday=None)  # fmt: skip
    return folder


def _config(folder: Path, name: str, more: str = "", bars: str = "lake/bars.parquet") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(BASE.format(bars=bars, more=more), encoding="utf-8")
    return path


def _report(folder: Path, name: str, more: str = "", bars: str = "lake/bars.parquet") -> Path:
    config = load_config(_config(folder, name, more, bars))
    market = load_market(config)
    out = folder / name
    out.mkdir(exist_ok=True)
    return write_report(backtest(config, market=market), config, out, market=market)


def demo_report(folder: Path) -> Path:
    """The demo, as `gexlab demo` writes it."""
    return demo(folder / "demo").report


def bad_bar(folder: Path) -> Path:
    """One bar at ten times its price."""
    bars = pd.read_parquet(_lake(folder) / "lake" / "bars.parquet")
    prices = ["open", "high", "low", "close"]
    bars.loc[60, prices] = 10.0 * bars.loc[60, prices]
    bars.to_parquet(folder / "bad_bars.parquet", index=False)
    return _report(folder, "bad_bar", bars="bad_bars.parquet")


def empty_regime(folder: Path) -> Path:
    """Dealers who are long everything: no session is short."""
    return _report(_lake(folder), "empty_regime", '[regime]\ndealer_model = "all_long"')


def no_regime(folder: Path) -> Path:
    """Every session abstains."""
    return _report(_lake(folder), "no_regime", '[regime]\npromote = ["strike_gap"]')


def one_strategy(folder: Path) -> Path:
    """One strategy without controls."""
    return _report(_lake(folder), "one_strategy", '[[strategies]]\nname = "alone"\nfilter = "sign"')


def long_name(folder: Path) -> Path:
    """Names of 200 characters, of the main strategy and of a control."""
    one = '[[strategies]]\nname = "{}"\n{}\n'
    more = one.format(LONG_NAME, 'filter = "sign"') + one.format("y" * 200, "lookback = 2")
    return _report(_lake(folder), "long_name", more)


def many_strategies(folder: Path) -> Path:
    """Five hundred strategies in one report."""
    one = '[[strategies]]\nname = "strategy-{}"\nlookback = {}\n'
    return _report(
        _lake(folder), "many_strategies", "".join(one.format(i, i % 40 + 1) for i in range(500))
    )


def many_trials(folder: Path) -> Path:
    """Five hundred trials of a grid."""
    lists = {"windows": range(21, 46), "lookbacks": range(1, 11), "fees": range(2)}
    text = GRID.format(**{k: ", ".join(map(str, v)) for k, v in lists.items()})
    config = _config(_lake(folder), "many_trials", text)
    result = grid(load_config(config), out=folder / "many_trials")
    return write_grid_page(result, folder / "many_trials" / "grid.html")


def few_trials(folder: Path) -> Path:
    """A tournament of a few entries."""
    lists = {"windows": (21, 42), "lookbacks": (1, 5), "fees": (0,)}
    text = GRID.format(**{k: ", ".join(map(str, v)) for k, v in lists.items()})
    config = _config(_lake(folder), "few_trials", text + "\n[tournament]\nplacebos = 20\n")
    out = folder / "few_trials"
    result = tournament(load_config(config), out=out)
    return write_tournament_page(result, out / "tournament.html")


def archive(folder: Path) -> Path:
    """An archive of nights: one session under two costs."""
    more = '[nightly]\npaths = []\nout = "nights"\n'
    for costs in ("", "[execution]\nfees_bps = 1.0\n"):
        nightly(_config(_lake(folder), "archive", more + costs))
    return folder / "nights" / "index.html"


def fifteen_years(folder: Path) -> Path:
    """A report over 15 years of chains."""
    return _report(_lake(folder / "years", 15.0), "fifteen_years")


CASES: Final[dict[str, Callable[[Path], Path]]] = {
    made.__name__: made
    for made in (
        demo_report,
        bad_bar,
        empty_regime,
        no_regime,
        one_strategy,
        long_name,
        many_strategies,
        many_trials,
        few_trials,
        archive,
        fifteen_years,
    )
}


def main(arguments: list[str]) -> None:
    """Write the pages that are named."""
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name in arguments[1:] or CASES:
        sys.stdout.write(f"{name}: {CASES[name](folder)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
