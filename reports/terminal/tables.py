"""Terminal tables: short, readable, the same words as the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..page.formats import DASH, day, fixed, in_unit, is_defined, level, money
from .fitting import FittingTable, plain_text

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import pandas as pd
    import pyarrow as pa

    from ...data import Assumed, Finding
    from ..cli.doctor import Health
    from ..page.views import Table as View

__all__ = [
    "answer_table",
    "assumed_table",
    "findings_table",
    "health_table",
    "latest_table",
    "regimes_table",
    "simple_table",
    "table_of",
]

_SEVERITY_STYLE = {"error": "red", "warning": "yellow", "info": "dim"}
_REGIME_STYLE = {"long": "blue", "short": "dark_orange3", "abstain": "dim", "neutral": "dim"}

_MARKS = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "failed": ("failed", "red")}


def simple_table(
    *columns: str, title: str | None = None, right: tuple[str, ...] = ()
) -> FittingTable:
    """Return an empty table in the house style: no frame, nothing ever cut.

    Parameters
    ----------
    columns : str
        Headings.
    title : str, optional
        Line above the table.
    right : tuple of str
        Headings whose column holds numbers and is set flush right.
    """
    return FittingTable(columns, title=title, right=[name in right for name in columns])


def table_of(view: View, *, most: int | None = None) -> FittingTable:
    """Return a page's table for the terminal, shortened to `most` rows, which its title then says.

    The text is the page's own, so that both say the same.
    """
    # units stand below their headings, as on the page
    headings = [f"{c.heading}\n{c.unit}" if c.unit else c.heading for c in view.columns]
    numeric = [column.numeric for column in view.columns]
    broken = [h.replace(" / ", " /\n") if n else h for h, n in zip(headings, numeric, strict=True)]
    cut = most is not None and len(view.rows) > most
    title = f"{view.caption}, the first {most} of {len(view.rows)}" if cut else view.caption
    table = FittingTable(broken, title=title, right=numeric)
    for row in view.rows[:most]:
        style = {"long": "blue", "short": "dark_orange3", "warn": "yellow", "bad": "red"}.get(
            row.tone, ""
        )
        table.add_row(*row.cells, style="bold" if row.strong else style)
    return table


def health_table(health: Health) -> FittingTable:
    """Return the checks of ``gexlab doctor``, one line each."""
    table = simple_table("check", "status", "found", "what to do")
    for check in health.checks:
        word, colour = _MARKS[check.status]
        table.add_row(check.name, plain_text(word, style=colour), check.found, check.remedy)
    return table


def regimes_table(rows: Sequence[Mapping[str, Any]], *, sign: str) -> FittingTable:
    """Return regime rows, one line each: what a desk reads first; `sign` is the currency's."""
    more = [name for name in rows[0] if name.startswith("net_gex_")]
    units = [name.removeprefix("net_gex_").replace("_", " ") for name in more]
    table = simple_table(
        "session", "book", "regime", "net GEX / 1 %", *units, "net/gross", "spot", "flip", "status",
        right=("net GEX / 1 %", *units, "net/gross", "spot", "flip"),
    )  # fmt: skip
    for row in rows:
        table.add_row(
            day(row["session"]),
            row["book"],
            plain_text(str(row["regime"]), style=_REGIME_STYLE.get(row["regime"], "")),
            money(row["net_gex"], sign=sign),
            *(in_unit(row[name], name.removeprefix("net_gex_"), sign=sign) for name in more),
            fixed(row["net_to_gross"], 3),
            level(row["spot"]),
            level(row["flip"]),
            _status(row),
        )
    return table


def latest_table(frame: pd.DataFrame) -> FittingTable:
    """Return the last session of each underlying, one line a book and dealer model."""
    columns = ("underlying", "session", "book", "dealer", "regime", "net GEX / 1 %", "net/gross")
    table = simple_table(*columns, "status", right=columns[-2:])
    keys = ["underlying", "book", "dealer_model"]
    last = frame.sort_values("session").groupby(keys, sort=True).tail(1)
    for row in last.sort_values(keys).to_dict("records"):
        style = _REGIME_STYLE.get(row["regime"], "")
        regime = plain_text(str(row["regime"]), style=style)
        table.add_row(row["underlying"], day(row["session"]), row["book"], row["dealer_model"],
                      regime, money(row["net_gex"], sign=""), fixed(row["net_to_gross"], 3),
                      _status(row))  # fmt: skip
    return table


def _status(row: Mapping[str, Any] | Mapping[Hashable, Any]) -> str:
    """Return the flip's status, a dash where a column of rows without one holds NaN or None."""
    status = row["flip_status"] if row["quality"] == "ok" else row["quality"]
    return status if isinstance(status, str) else DASH


def answer_table(schema: pa.Schema, rows: Sequence[Sequence[object]]) -> FittingTable:
    """Return rows of a query's answer as they are: full numbers, null as a dash."""
    import pyarrow as pa

    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    numbers = [any(is_kind(field.type) for is_kind in kinds) for field in schema]
    table = FittingTable(schema.names, right=numbers)
    for row in rows:
        table.add_row(*(str(value) if is_defined(value) else DASH for value in row))
    return table


def assumed_table(assumed: Mapping[str, Assumed]) -> FittingTable:
    """Return what a settings file says of each underlying, and by which of its entries."""
    keys = list(dict.fromkeys(key for one in assumed.values() for key in one.values))
    table = simple_table("underlying", *(key.replace("_", " ") for key in keys), title="Assumed")
    for name, one in assumed.items():
        said = (
            f"{one.values[k]} ({one.said_by[k]})" if k in one.values else DASH
            for k in keys
        )  # fmt: skip
        table.add_row(name, *said)
    return table


def findings_table(found: Sequence[Finding]) -> FittingTable:
    """Return findings grouped by check: in how many sessions, from when to when, and an example."""
    table = simple_table(
        "check", "severity", "sessions", "first", "last", "the first one", right=("sessions",)
    )
    by_check: dict[str, list[Finding]] = {}
    for finding in found:
        by_check.setdefault(finding.check, []).append(finding)
    for name, group in by_check.items():
        days = sorted(f.session for f in group if f.session is not None)
        ends = (day(days[0]), day(days[-1])) if days else (DASH, DASH)
        severity = plain_text(group[0].severity, style=_SEVERITY_STYLE.get(group[0].severity, ""))
        table.add_row(name, severity, str(len(group)), *ends, group[0].detail)
    return table
