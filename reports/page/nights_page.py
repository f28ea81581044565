"""The archive's index: all nights of a folder on one page that links to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .formats import plural
from .html import write_template
from .sections import words
from .sections.nights import calendar_of, is_known, night_row, sparkline_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..nightly.nights import Night
    from ..nightly.side_work import SideWork

__all__ = ["write_nights_page"]

_COLUMNS = (
    ("Session", False),
    ("Regime", False),
    ("Net GEX", True),
    ("Net / gross", True),
    ("Spot", True),
    ("Flip", True),
    ("Spot above flip", True),
    ("Put wall", True),
    ("Call wall", True),
    ("State", False),
    ("Night", False),
)


#: What stands beside nights, in words.
_WORK = {"grid": "grid", "tournament": "tournament", "test": "hypotheses"}


def write_nights_page(nights: Sequence[Night], path: Path, beside: Sequence[SideWork] = ()) -> Path:
    """Write the index of an archive; its links are relative, so that it works from anywhere."""
    last = next((night for night in nights if is_known(night)), nights[0])
    name = str(last.facts["underlying"])
    alerts = list(last.facts.get("alerts", ()))
    return write_template(
        "nights.html.j2",
        "tables.js,nights.js",
        path,
        title=f"{name}: nights to {last.session}",
        heading=f"{name}: {words.regime(last.regime)} on {last.session}",
        summary=f"{plural(len(nights), 'night')} in this archive, the last on {last.session}.",
        alert=". ".join(alerts),
        beside=[(w.page, f"{_WORK[w.name]} of {w.session}") for w in beside],
        spark=sparkline_of(nights),
        months=calendar_of(nights),
        headings=_COLUMNS,
        rows=[(f"{n.name}/report.html", words.tone(n.regime), night_row(n)) for n in nights],
        data=[{"name": n.name, "values": _values(n)} for n in nights],
    )


def _values(night: Night) -> dict[str, Any]:
    from ..nightly.nights import flat

    return {**flat(night.facts), **night.versions, **night.inputs}
