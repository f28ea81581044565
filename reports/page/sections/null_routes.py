"""What a test's page says of markets without dealers: both routes, and a picture of the cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..charts import axis, bars, figure, layout, rounded
from ..formats import count, fixed
from ..palette import token
from ..views import Column, Figure, Row, Table, text_column

if TYPE_CHECKING:
    from ....backtest import Evidence

__all__ = ["cloud_figure", "family_table", "routes_table"]

_BINS = 24


def routes_table(name: str, evidence: Evidence) -> Table:
    """Return what each route says, one row each."""
    place, family = evidence.place, evidence.family
    rows = [
        Row(("Books made by rules on the same prices: p", fixed(place.p, 3))),
        Row(("Statistic", fixed(place.statistic))),
        Row(("Books: mean (standard deviation)", f"{fixed(place.mean)} ({fixed(place.sd)})")),
        Row(
            (
                "Books: quantiles 5, 25, 50, 75, 95 %",
                "  ".join(fixed(q) for q in place.quantiles),
            )
        ),
        Row(("Books that the test can be made of", count(place.draws))),
        Row(
            (
                "Effective number of them",
                fixed(place.effective, 0) + ("" if place.enough else " (too few)"),
            )
        ),
        Row(("Distance of the nearest book", fixed(place.nearest))),
        Row(("Distance of the median book", fixed(place.median))),
        Row(("Stretched for that distance by", fixed(place.stretch))),
        Row(("Volatility that books follow", place.control)),
    ]
    if family is None:
        rows.append(Row(("Simulated markets without dealers", "not asked for, or none fits")))
    else:
        worst = family.worst
        fits = "" if worst.compatible else ", though none fits"
        rows += [
            Row(("Simulated markets without dealers: p", fixed(worst.p, 3))),
            Row((f"Worst that fits{fits}", worst.name)),
            Row(("Its distance", fixed(worst.distance))),
            Row(("Its mean (standard deviation)", f"{fixed(worst.mean)} ({fixed(worst.sd)})")),
        ]
    return Table(
        f"tab-{name}-nulls",
        "The same test where nobody hedges",
        (text_column("Route"), text_column("")),
        tuple(rows),
        "Distance: root mean square of moments (share negative, autocorrelations, correlations "
        "with returns, volatility and its changes, weekly pattern), each over the difference that "
        "counts as one. Supported needs both p to be at most 5 %.",
    )


def family_table(name: str, evidence: Evidence) -> tuple[Table, ...]:
    """Return one row per make of simulated market; nothing where none was simulated."""
    if evidence.family is None:
        return ()
    columns = (
        text_column("Returns"),
        text_column("Customers"),
        Column("Distance"),
        text_column("Fits"),
        Column("Markets"),
        Column("Mean"),
        Column("s.d."),
        Column("p"),
    )
    rows = tuple(
        Row(
            (
                m.returns,
                m.customers,
                fixed(m.distance),
                "yes" if m.compatible else "no",
                count(m.markets),
                fixed(m.mean),
                fixed(m.sd),
                fixed(m.p, 3),
            ),
            "" if m.compatible else "muted",
        )
        for m in evidence.family.members
    )
    return (Table(f"tab-{name}-family", "Simulated markets of several makes", columns, rows),)


def cloud_figure(name: str, evidence: Evidence) -> tuple[Figure, ...]:
    """Return the weighted histogram of books' statistics with the data's own."""
    place = evidence.place
    values, weights = np.array(place.values), np.array(place.weights)
    if len(values) < 2 or not np.isfinite(place.statistic) or not np.ptp(values):
        return ()
    edges = np.histogram_bin_edges(np.append(values, place.statistic), _BINS)
    shares = np.histogram(values, edges, weights=weights / weights.sum())[0]
    middle = 0.5 * (edges[1:] + edges[:-1])
    own: dict[str, Any] = {
        "type": "line",
        "x0": place.statistic,
        "x1": place.statistic,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"color": token("ink"), "width": 2},
    }
    shape = layout(
        legend=False, xaxis=axis("statistic"), yaxis=axis("share of books, %"), shapes=[own]
    )
    data = [bars(rounded(middle.tolist()), (100.0 * shares).tolist(), "books", "series-6")]
    few = "" if place.enough else "; few books resemble it"
    caption = (
        f"{count(place.draws)} books made by rules on the same prices, none of which moves them, "
        f"by what the test says of each; the line is the series tested "
        f"({fixed(place.statistic)}), p {fixed(place.p, 3)}{few}."
    )
    title = f"The series has {fixed(place.statistic)}, books without dealers {_middle(values)}."
    return (Figure(f"fig-{name}-cloud", title, caption, figure(data, shape), 220),)


def _middle(values: np.ndarray) -> str:
    """Return the middle half of some values."""
    low, high = np.percentile(values, [25, 75])
    return f"{fixed(low)} to {fixed(high)} in their middle half"
