"""The report of a backtest: everything that its page needs, gathered and written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...data import silent

if TYPE_CHECKING:
    from ...backtest import BacktestResult, Config, Market
    from ...data import Progress
    from ..session.morning import Morning
    from ..session.picture import SessionPicture
    from .views import Page, Section

__all__ = ["REPORT_FILE", "last_picture", "morning_of", "report_page", "write_report"]

REPORT_FILE = "report.html"
_ALL = 1_000_000
_STEPS = 4


def write_report(
    result: BacktestResult,
    config: Config,
    out: Path,
    *,
    market: Market | None = None,
    progress: Progress = silent,
    alert: str = "",
    morning: Morning | None = None,
    beside: tuple[Section, ...] = (),
) -> Path:
    """Write ``report.html`` into the folder of a backtest's results and return its path.

    Parameters
    ----------
    result : BacktestResult
    config : Config
    out : Path
        Folder of the results.
    market : Market, optional
        The inputs, where they are loaded already.
    progress : Progress
        Called after each section.
    alert : str
        What must be read before everything else, e.g. that the data are stale.
    morning : Morning, optional
        The last session, where it is at hand.
    beside : tuple of Section
        Shown after the equity: what the run itself does not know.

    Returns
    -------
    Path
    """
    from .html import write_page

    page = report_page(
        result,
        config,
        market=market,
        progress=progress,
        alert=alert,
        morning=morning,
        beside=beside,
    )
    progress(_STEPS - 1, _STEPS, "writing the report")
    return write_page(page, out / REPORT_FILE)


def report_page(
    result: BacktestResult,
    config: Config,
    *,
    market: Market | None = None,
    progress: Progress = silent,
    alert: str = "",
    morning: Morning | None = None,
    beside: tuple[Section, ...] = (),
) -> Page:
    """Return the report of a backtest.

    Parameters
    ----------
    result : BacktestResult
    config : Config
        What was run: where a lake was read, the report shows its last session and its coverage,
        and where the market is simulated, the truth.
    market : Market, optional
        The inputs that the backtest read; read again where they are left out.
    progress : Progress
        Called at the beginning of each step.
    alert, morning, beside
        As for `write_report`.
    """
    from ...backtest import load_market
    from ...data import Definition
    from .backtest_page import backtest_page

    progress(0, _STEPS, "diagnostics")
    inputs = load_market(config) if market is None else market
    diagnostics = [_diagnostics(result, config, inputs)]
    rows = inputs.regime.rebuilt
    progress(1, _STEPS, "profile of the last session")
    first = morning_of(result, config, inputs) if morning is None else morning
    if rows is None:
        return backtest_page(result, beside, diagnostics, morning=first, alert=alert)
    sections = list(beside)
    whole = isinstance(rows.spec.definition, Definition)  # a peer's rule has no profile
    sections += _ahead(config, inputs, first)
    if whole and (Path(str(config.data.lake)) / "truth.json").is_file():  # beside the tables
        sections.append(_truth(config, inputs))
    progress(2, _STEPS, "coverage of the chains")
    covered = [_coverage(result, config, inputs)]
    return backtest_page(result, sections, diagnostics, covered, morning=first, alert=alert)


def _diagnostics(result: BacktestResult, config: Config, market: Market) -> Section:
    from ...backtest import (
        ImpactAssumptions,
        Resampling,
        dataset_of,
        diagnose,
        magnitude_by_quantile,
    )
    from ...data import currency_sign
    from .sections.diagnostics import diagnostics_section

    how = config.inference
    resampling = Resampling(how.seed, how.bootstrap, how.block, how.level)
    dataset = dataset_of(config, market, recheck=False)
    found = diagnose(dataset, resampling)
    known = dataset.traded_value > 0.0
    assumed = ImpactAssumptions(dollar_volume=dataset.traded_value) if known else None
    # a published series has a unit of its own, a lake's is currency per 1 %
    following = dataset.bars["close"].pct_change(fill_method=None).shift(-1)
    value = result.regime.table["value"]
    measured = value.where(following.reindex(value.index).notna())
    magnitudes = (
        magnitude_by_quantile(measured, result.next_return_sd_by_quantile, assumed)
        if result.regime.source == "lake"
        else ()
    )
    sign = currency_sign(result.data.currency)
    return diagnostics_section(found, magnitudes, assumed, level=how.level, sign=sign)


def morning_of(result: BacktestResult, config: Config, market: Market) -> Morning:
    """Return the last session as the run saw it, even where its bar has not come yet."""
    from ...data import Definition
    from ..session.morning import Morning
    from ..session.story import session_story

    history, rows = market.regime.table, market.regime.rebuilt
    band = config.regime.band
    picture = last_picture(config, market)
    if rows is None or picture is None:
        return Morning(result, history, None if rows is None else band)
    definition = rows.spec.definition
    assert isinstance(definition, Definition)  # or there were no picture
    last = history.index[-1].date()
    story = session_story(rows.lake, rows.job or rows.spec, last, book=config.regime.book)
    return Morning(result, history, definition.band if band is None else band, picture, story)


def last_picture(config: Config, market: Market) -> SessionPicture | None:
    """Return the last session as it is drawn; None where no chain or no profile is behind it."""
    from ...data import Definition, explain
    from ..session.picture import picture_of

    rows = market.regime.rebuilt
    if rows is None or not isinstance(rows.spec.definition, Definition):
        return None
    last = market.regime.table.index[-1]
    how = rows.job or rows.spec
    found = explain(rows.lake, how, last.date(), book=config.regime.book, most=_ALL)
    picture = picture_of(found, sign=rows.lake.facts(rows.spec.underlying).sign)
    promoted = market.regime.promoted.get(last, ())
    return picture.labelled(config.regime.band).abstaining(promoted)


def _ahead(config: Config, market: Market, morning: Morning) -> list[Section]:
    """Return what the last session's book is made of, and what becomes of it elsewhere."""
    from ...data import Definition, what_if
    from .sections.expiries import expiry_section
    from .sections.maps import map_section, what_if_section
    from .sections.story import future_section

    rows, picture, story = market.regime.rebuilt, morning.picture, morning.story
    if rows is None or picture is None or story is None or not picture.row["gross_gex"]:
        return []
    last = market.regime.table.index[-1].date()
    definition = rows.spec.definition
    # with volatilities that follow the money every flip costs a sum over all lines
    dear = isinstance(definition, Definition) and definition.iv_dynamics != "sticky_strike"
    elsewhere = what_if(
        rows.lake,
        rows.job or rows.spec,
        last,
        book=config.regime.book,
        sessions_ahead=(0, 1, 5) if dear else (0, 1, 2, 5, 10),
        volatility_shifts=(0.0,) if dear else (-0.02, 0.0, 0.02),
    )
    return [
        map_section(picture),
        expiry_section(picture),
        what_if_section(elsewhere, story.sign),
        future_section(story),
    ]


def _truth(config: Config, market: Market) -> Section:
    from ...backtest import compare_with_truth
    from .sections.truth import truth_section

    found = compare_with_truth(
        str(config.data.lake),
        market=market,
        start=config.data.start,
        end=config.data.end,
    )
    return truth_section(found)


def _coverage(result: BacktestResult, config: Config, market: Market) -> Section:
    from ...backtest import chain_findings
    from ...data import coverage
    from .sections.coverage import coverage_section

    rows, data = market.regime.rows, config.data
    found = result.findings
    if found is None:
        found = chain_findings(config, rows, result.bars, result.data.calendar)
    named = {(f.session, f.check) for f in found}  # rebuild and check both find missing carry
    found = (*(f for f in result.input_findings if (f.session, f.check) not in named), *found)
    held = coverage(rows.lake, data.underlying)
    asked = [data.covers(day.date()) for day in held["session"]]
    return coverage_section(held[asked], found)
