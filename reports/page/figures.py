"""Figures of a result as plotly has them: those of its page, and of what a page draws by script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...data import ConfigError
from .charts import axis, bars, dots, figure, layout, line, rounded
from .formats import fixed, plural
from .palette import DARK, LIGHT
from .views import Figure, Page

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from ...backtest import (
        BacktestResult,
        DiffResult,
        GridResult,
        HypothesesResult,
        LedgerSummary,
        LockboxResult,
        SimulationCheck,
        TournamentResult,
    )
    from ...data import CrossSection, Explanation, SessionProfile

__all__ = ["figure_of", "figures"]

_MARK: Final = "css:"
#: Parameters of a grid of which each pair has a map.
_MOST_MAPPED: Final = 6


def figures(result: Any, *, dark: bool = False) -> dict[str, go.Figure]:
    """Return what is drawn of a result as plotly figures.

    Parameters
    ----------
    result : object
        What a command's function returned: of a backtest, test, grid, tournament, ledger, lockbox,
        diff, explanation, profile, cross-section or calibration.
    dark : bool
        Colours for a dark page.

    Returns
    -------
    dict of str to plotly.graph_objects.Figure
        By name; the title says what to see. Nothing where nothing is drawn.

    Raises
    ------
    ConfigError
        If nothing of that kind is ever drawn; `frames` has its numbers.
    """
    return {made.id.removeprefix("fig-"): figure_of(made, dark=dark) for made in _drawn(result)}


def _drawn(result: Any) -> Sequence[Figure]:
    draw = _DRAWN.get(type(result).__name__)
    if draw is None:
        raise ConfigError(
            f"nothing is drawn of {type(result).__name__}: expected one of "
            f"{', '.join(sorted(_DRAWN))}; frames() has the numbers of any result"
        )
    return draw(result)


def _of_backtest(result: BacktestResult) -> Sequence[Figure]:
    from .backtest_page import backtest_page

    return _of_page(backtest_page(result))


def _of_hypotheses(result: HypothesesResult) -> Sequence[Figure]:
    from .sections.hypotheses import hypotheses_page

    return _of_page(hypotheses_page(result))


def _of_tournament(result: TournamentResult) -> Sequence[Figure]:
    from .tournament_page import tournament_figures

    return tournament_figures(result)


def _of_calibration(result: SimulationCheck) -> Sequence[Figure]:
    from .sections.calibration import calibration_html_page

    return _of_page(calibration_html_page(result))


def _of_difference(result: DiffResult) -> Sequence[Figure]:
    from .sections.difference import difference_page

    return _of_page(difference_page(result, "", ("first", "second")))


def _of_explanation(result: Explanation) -> Sequence[Figure]:
    from ..session.picture import picture_of
    from .profile_page import profile_page

    return _of_page(profile_page(picture_of(result, sign="")))


def _of_page(page: Page) -> tuple[Figure, ...]:
    sections = page.sections if page.first is None else (page.first, *page.sections)
    return tuple(drawn for section in sections for drawn in section.figures)


def figure_of(made: Figure, *, dark: bool = False) -> go.Figure:
    """Return a page's figure as plotly has it.

    Parameters
    ----------
    made : Figure
    dark : bool
        Colours for a dark page.
    """
    import plotly.graph_objects as go

    colours = DARK if dark else LIGHT
    spec = _coloured(made.spec, colours)
    found = go.Figure(data=spec["data"], layout=spec["layout"])
    found.update_layout(
        title={"text": made.title, "font": {"size": 15}},
        height=made.height + 60,
        margin={"t": 70},
        paper_bgcolor=colours["paper"],
        plot_bgcolor=colours["paper"],
        meta={"caption": made.caption},
    )
    return found


def _coloured(value: Any, colours: dict[str, str]) -> Any:
    """Return a figure with the page's colours by name as the colours themselves."""
    if isinstance(value, dict):
        return {key: _coloured(item, colours) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_coloured(item, colours) for item in value]
    if isinstance(value, str) and value.startswith(_MARK):
        return colours.get(value.removeprefix(_MARK), value)
    return value


def _of_grid(result: GridResult) -> list[Figure]:
    """Return all Sharpe ratios in order, and their median by each two parameters that vary."""
    from ...backtest import luck_sentence
    from .grid_page import varying

    ordered = np.sort(result.table["sharpe"].dropna().to_numpy(dtype=np.float64))[::-1]
    places = list(range(1, len(ordered) + 1))
    traces = [dots(places, rounded(ordered), "trials", "series-2")]
    if np.isfinite(result.best_by_luck) and places:
        level = [result.best_by_luck] * 2
        traces.append(line([places[0], places[-1]], level, "the best by luck", "series-3"))
    shape = layout(xaxis=axis("trial, the best first"), yaxis=axis("Sharpe ratio, annual"))
    found = [
        Figure(
            "fig-sharpes",
            luck_sentence(result),
            "Sharpe ratio of every trial.",
            figure(traces, shape),
        )
    ]
    names = varying(result)
    if len(names) > _MOST_MAPPED:  # of components' parameters there may be dozens of pairs
        names = tuple(name for name in names if "." not in name)
    found += [_map(result.table, down, across) for down, across in combinations(names, 2)]
    return found


def _map(table: pd.DataFrame, down: str, across: str) -> Figure:
    words = table.assign(**{name: table[name].astype("object").map(_word)
                            for name in (down, across)})  # fmt: skip
    cells = words.pivot_table(
        index=down, columns=across, values="sharpe", aggfunc="median", sort=False
    )
    trace = {
        "type": "heatmap",
        "x": list(cells.columns),
        "y": list(cells.index),
        "z": [rounded(row) for row in cells.to_numpy(dtype=np.float64)],
        "colorscale": "Cividis",
        "colorbar": {"title": {"text": "Sharpe"}},
    }
    shape = layout(
        legend=False,
        xaxis=axis(across, type="category"),
        yaxis=axis(down, type="category"),
    )
    title = f"Median Sharpe ratio by {down} and {across}"
    return Figure(f"fig-{down}-{across}", title, title + " of all trials.", figure([trace], shape))


def _word(value: Any) -> str:
    missing = value is None or type(value).__name__ == "NAType" or value != value
    return "–" if missing else str(value)


def _of_ledger(result: LedgerSummary) -> list[Figure]:
    """Return how the number of trials grew."""
    if not result.entries:
        return []
    first: dict[Any, str] = {}
    for entry in result.entries:
        name, at = entry["trial_id"], str(entry["recorded_at"])
        first[name] = min(first.get(name, at), at)
    moments = sorted(first.values())
    counts = list(range(1, len(moments) + 1))
    title = f"{plural(result.trials, 'trial')} over {plural(len(result.markets), 'market')}"
    shape = layout(legend=False, xaxis=axis("first recorded"), yaxis=axis("different trials"))
    spec = figure([line(moments, counts, "trials", "series-1")], shape)
    return [Figure("fig-trials", title, "Different trials ever made, deleted ones too.", spec)]


def _of_lockbox(result: LockboxResult) -> list[Figure]:
    """Return the Sharpe ratios that the opening showed, with their intervals."""
    if result.found is None:
        return []
    rows = result.found["trials"]
    names = [row["trial_id"] for row in rows]
    ratios = [row["sharpe"] for row in rows]
    ends = {
        "type": "data",
        "symmetric": False,
        "array": rounded([row["high"] - row["sharpe"] for row in rows]),
        "arrayminus": rounded([row["sharpe"] - row["low"] for row in rows]),
    }
    trace = dots(names, rounded(ratios), "named trials", "series-2", error_y=ends)
    shape = layout(
        legend=False, xaxis=axis(type="category"), yaxis=axis("Sharpe ratio, annual", zeroline=True)
    )
    caption = "Sharpe ratios of the named trials on the sessions that were locked."
    return [Figure("fig-opened", result.found["sentence"], caption, figure([trace], shape))]


def _of_profile(profile: SessionProfile) -> list[Figure]:
    import pandas as pd

    from ...data import Explanation
    from ..session.picture import picture_of
    from .sections.profile import profile_figure

    return [profile_figure(picture_of(Explanation(profile, pd.DataFrame(), ()), sign=""))]


def _of_cross_section(result: CrossSection) -> list[Figure]:
    """Return the names of the last session by net/gross, and how many were long or short."""
    market, names = result.market, result.names
    if not len(market):
        return []
    last = names["session"].max()
    mine = names[(names["session"] == last) & names["net_to_gross"].notna()]
    mine = mine.sort_values("net_to_gross", ascending=False)
    day = f"{last:%Y-%m-%d}"
    ratio = bars(
        mine["underlying"].tolist(), rounded(mine["net_to_gross"]), "net / gross", "series-2"
    )
    shape = layout(
        legend=False, xaxis=axis(type="category"), yaxis=axis("net / gross", zeroline=True)
    )
    days = [f"{each:%Y-%m-%d}" for each in market["session"]]
    shares = [
        line(days, rounded(market["share_long"]), "long gamma", "long"),
        line(days, rounded(market["share_short"]), "short gamma", "short"),
    ]
    of_market = layout(xaxis=axis(), yaxis=axis("share of the names that count"))
    row = market[market["session"] == last]
    short = fixed(100.0 * float(row["share_short"].iloc[0]), 0) if len(row) else "–"
    return [
        Figure(
            "fig-names",
            f"{plural(len(mine), 'name')} on {day}, the longest gamma first",
            "Net over gross of every name.",
            figure([ratio], shape),
        ),
        Figure(
            "fig-shares",
            f"{short} % of the names are in short gamma on {day}",
            "Share of the names in long and in short gamma, by session.",
            figure(shares, of_market),
        ),
    ]


_DRAWN: Final[dict[str, Callable[[Any], Sequence[Figure]]]] = {
    "BacktestResult": _of_backtest,
    "CrossSection": _of_cross_section,
    "DiffResult": _of_difference,
    "Explanation": _of_explanation,
    "GridResult": _of_grid,
    "HypothesesResult": _of_hypotheses,
    "LedgerSummary": _of_ledger,
    "LockboxResult": _of_lockbox,
    "SessionProfile": _of_profile,
    "SimulationCheck": _of_calibration,
    "TournamentResult": _of_tournament,
}
