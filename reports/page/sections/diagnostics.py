"""What else the regime did to prices, and how much of it hedging could explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..formats import count, fixed, interval, interval_heading, is_defined, money, percent
from ..views import Column, Row, Section, Table, text_column
from .hypotheses import number
from .volatility import without_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ....backtest import Diagnostic, DiagnosticsResult, ImpactAssumptions, QuantileMagnitude

__all__ = ["diagnostics_section", "diagnostics_table", "magnitude_table"]


def diagnostics_section(
    found: DiagnosticsResult,
    magnitudes: Sequence[QuantileMagnitude],
    assumed: ImpactAssumptions | None,
    *,
    level: float,
    sign: str,
) -> Section:
    """Return the diagnostics by regime and the implied magnitude.

    Parameters
    ----------
    found : DiagnosticsResult
    magnitudes : sequence of QuantileMagnitude
    assumed : ImpactAssumptions or None
        None: nothing is assumed of what is traded a day, so nothing is implied.
    level : float
        Coverage of the intervals.
    sign : str
        Of the currency.
    """
    text = [
        "Sessions that began in short gamma against sessions that began in long gamma; what "
        "follows a session is set against its own label. A bar at the margin: the interval of the "
        "difference leaves zero out. With this many measures one in twenty does so by chance.",
    ]
    tables = [diagnostics_table(found, level)]
    if magnitudes and assumed is not None:
        tables.append(magnitude_table(magnitudes, assumed, sign))
    elif magnitudes:
        text.append(
            "How much hedging could explain is not said: the value traded a day is unknown. Set "
            "data.traded_value, in the currency of the prices."
        )
    return Section("diagnostics", "What else the regime did", tuple(text), tables=tuple(tables))


def diagnostics_table(found: DiagnosticsResult, level: float) -> Table:
    """Return one row per measure: short, long, their difference, and its size."""
    columns = (
        text_column("Measure"),
        Column("Short"),
        Column("Long"),
        Column("Difference"),
        Column(interval_heading(level)),
        Column("Effect", "s.d."),
        Column("Sessions", "short / long"),
        text_column("Meaning"),
    )
    rows = tuple(_row(diagnostic) for diagnostic in found.by_regime)
    note = (
        "Effect: the difference in standard deviations between sessions; 0.2 is small, 0.8 large. "
        f"{without_interval(d.difference for d in found.by_regime)}"
    ).strip()
    return Table("tab-diagnostics", "Measures by regime", columns, rows, note)


def _row(d: Diagnostic) -> Row:
    difference = d.difference
    digits = _digits(difference.low, difference.high)
    clear = is_defined(difference.low) and difference.low * difference.high > 0
    unit = f", {d.unit}" if d.unit and d.unit != "log" else ""
    cells = (
        d.name.replace("_", " "),
        number(d.short.value),
        number(d.long.value),
        number(difference.value),
        interval(difference.low, difference.high, digits),
        fixed(d.effect_size),
        f"{count(d.short.n)} / {count(d.long.n)}",
        f"{d.meaning}{unit}",
    )
    return Row(cells, "warn" if clear else "")


def _digits(low: float, high: float) -> int:
    """Return decimals that leave both ends of an interval two significant digits."""
    size = max((abs(x) for x in (low, high) if is_defined(x)), default=1.0)
    return 1 if size >= 10 else 2 if size >= 0.5 else 3


def magnitude_table(
    magnitudes: Sequence[QuantileMagnitude], assumed: ImpactAssumptions, sign: str
) -> Table:
    """Return what linear impact makes of each quartile's mean gamma."""
    columns = (
        text_column("Quartile of net GEX"),
        Column("Mean net GEX", "per 1 %"),
        Column("Change of volatility", "by hedging alone"),
        Column("S.d. of next return", "% a day"),
    )
    rows = tuple(
        Row(
            (
                m.name,
                money(m.mean, sign=sign),
                percent(m.volatility_factor - 1.0, 2, sign=True),
                fixed(m.next_return_sd),
            )
        )
        for m in magnitudes
    )
    note = (
        f"Assumed, not measured: {money(assumed.dollar_volume, 0, sign=sign)} traded a day, "
        f"daily volatility {percent(assumed.daily_volatility)}, impact coefficient "
        f"{fixed(assumed.coefficient, 1)}. "
        "Compare the spread of the third column with that of the fourth."
    )
    return Table("tab-magnitude", "How much hedging could explain", columns, rows, note)
