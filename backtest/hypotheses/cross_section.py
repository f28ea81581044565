"""Claims that need many underlyings: net gamma and the next session's return, name by name.

Returns come from the chains' own spots, between neighbouring sessions. A regime row explains the
return of the first session whose open comes at or after the moment at which the row was known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from ...data import NotEnoughDataError, UnknownNameError
from ..statistics.panel import PanelFit, panel_fit, places_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...data import CrossSection, TradingCalendar

__all__ = [
    "CROSS_SECTION_FORMS",
    "CrossSectionResult",
    "cross_section_panel",
    "cross_section_tests",
]

#: Below these a verdict says that it hangs on few.
_FEW_DATES: Final = 50
_FEW_NAMES: Final = 30
_LEAST: Final = 10
#: A return beyond this factor is taken for a split that the spots are not corrected for.
_SPLIT: Final = 1.4
_LEVEL: Final = 0.05
_CONTROLS: Final = ("absolute", "absolute_week")
#: What intraday bars add: of the session, the mean of five, and of the session that follows.
_WITHIN: Final = ("volatility", "volatility_week", "volatility_next", "momentum_next")


@dataclass(frozen=True, slots=True)
class Form:
    """One claim in its published form.

    Attributes
    ----------
    name : str
    claim : str
    source : str
    target : str
        Column of the panel that is explained.
    regressor : str
        Column that explains it.
    controls : tuple of str
    sign : {-1, 1}
    published : str
        What the literature prints, or that it prints none.
    """

    name: str
    claim: str
    source: str
    target: str
    regressor: str
    controls: tuple[str, ...]
    sign: int
    published: str


CROSS_SECTION_FORMS: Final[tuple[Form, ...]] = (
    Form(
        "net-gamma-absolute-return",
        "Net gamma of hedgers lowers the next session's absolute return",
        "Ni, Pearson, Poteshman, White (2021)",
        "absolute_next", "net_to_gross", _CONTROLS, -1,
        "negative; the share of absolute return is quoted in conflicting ways",
    ),
    Form(
        "gamma-imbalance",
        "Gamma imbalance, as a share of dollar volume, lowers the next session's absolute return",
        "Barbon, Buraschi (3)",
        "absolute_next", "imbalance", _CONTROLS, -1,
        "negative; its size is known at second hand only",
    ),
    Form(
        "gamma-imbalance-volatility",
        "Gamma imbalance lowers the volatility of hourly returns within the next session",
        "Barbon, Buraschi (3)",
        "volatility_next", "imbalance", ("volatility", "volatility_week"), -1,
        "negative; its size is known at second hand only",
    ),
    Form(
        "gamma-imbalance-momentum",
        "After a high gamma imbalance hourly returns trend less within the next session",
        "Barbon, Buraschi (3)",
        "momentum_next", "imbalance", (), -1,
        "autocorrelation of returns falls, most over 60 minutes; its size is not printed",
    ),
    Form(
        "net-gamma-return",
        "Names with much net gamma earn less in the next session",
        "Soebhag (2023)",
        "return_next", "net_to_gross", (), -1,
        "high net gamma underperforms low by about 10 % a year (1996 to 2021)",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CrossSectionResult:
    """Outcome of one claim.

    Attributes
    ----------
    name, claim, source, published : str
    estimate : float
        Change of the return or volatility, in basis points, with one standard deviation of the
        regressor; of momentum in ten-thousandths.
    std_error, t_stat, p_value : float
        Clustered by date and name; one-sided in the expected direction.
    n, names, dates : int
    expected_sign : int
    verdict : {"supported", "not supported", "needs data"}
    reason : str
    spread : float or None
        Of claims about returns: mean return of the highest quintile less that of the lowest, in
        basis points a session.
    spread_t : float or None
        Its t over sessions.
    """

    name: str
    claim: str
    source: str
    published: str
    estimate: float
    std_error: float
    t_stat: float
    p_value: float
    n: int
    names: int
    dates: int
    expected_sign: int
    verdict: str
    reason: str
    spread: float | None = None
    spread_t: float | None = None


def cross_section_panel(
    section: CrossSection, calendar: TradingCalendar, intraday: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return what the claims are tested on, and how many rows were left out for which reason.

    Parameters
    ----------
    section : CrossSection
    calendar : TradingCalendar
        Of all its underlyings.
    intraday : DataFrame, optional
        From `intraday_panel`.

    Returns
    -------
    DataFrame
        ``underlying, session`` (of the regime row), ``return_next, absolute_next, volatility_next,
        momentum_next`` (of the session that follows), ``absolute, absolute_week, volatility,
        volatility_week`` (of the session and the mean of five), ``net_to_gross, imbalance``.
    dict of str to int
        ``abstains, known_late, no_next_session, split_suspected``; with intraday bars ``no_bars``
        (of rows that count: sessions after which there are none), too.

    Raises
    ------
    DefinitionError
        If a row's session is none of the calendar: names of several calendars.
    """
    opens = np.asarray(calendar.opens).astype("datetime64[us]")
    rows = section.names.sort_values(["underlying", "session"]).reset_index(drop=True)
    place = places_on(calendar, rows)
    rows = rows.assign(place=place)
    by_name = rows.groupby("underlying", sort=False)
    change = pd.Series(np.log(rows["spot"] / by_name["spot"].shift(1)), index=rows.index)
    change = change.where(by_name["place"].diff() == 1)
    splits = change.abs() > np.log(_SPLIT)
    change = change.mask(splits)
    rows["absolute"] = change.abs()
    own = rows.groupby("underlying", sort=False)
    rows["absolute_week"] = own["absolute"].transform(lambda s: s.rolling(5).mean())
    simple = pd.Series(np.expm1(change), index=rows.index)
    following = (own["place"].shift(-1) - rows["place"]) == 1
    rows["return_next"] = simple.groupby(rows["underlying"], sort=False).shift(-1).where(following)
    rows["absolute_next"] = own["absolute"].shift(-1).where(following)
    rows["imbalance"] = 100 * 100 * rows["per_dollar_volume"]  # $ per 100 %, in % of volume
    known = rows["known_at"].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    inside = np.minimum(rows["place"].to_numpy() + 1, len(opens) - 1)
    late = known.astype("datetime64[us]") > opens[inside]
    counts = rows["counts"].to_numpy(dtype=bool)
    split_next = splits.groupby(rows["underlying"], sort=False).shift(-1, fill_value=False)
    left = {
        "abstains": int((~counts).sum()),
        "known_late": int((counts & late).sum()),
        "no_next_session": int((counts & ~late & rows["return_next"].isna() & ~split_next).sum()),
        "split_suspected": int((counts & ~late & split_next).sum()),
    }
    rows = _with_intraday(rows, intraday, following)
    kept = rows[counts & ~late & rows["return_next"].notna()]
    if intraday is not None:
        left["no_bars"] = int(kept["volatility_next"].isna().sum())
    columns = ["underlying", "session", "return_next", "absolute_next", *_CONTROLS,
               "net_to_gross", "imbalance", *_WITHIN]  # fmt: skip
    return kept[columns].reset_index(drop=True), left


def _with_intraday(
    rows: pd.DataFrame, intraday: pd.DataFrame | None, following: pd.Series[bool]
) -> pd.DataFrame:
    """Return rows with what happened within their session and the one that follows."""
    if intraday is None:
        return rows.assign(**dict.fromkeys(_WITHIN, np.nan))
    keys = ["underlying", "session"]
    days = intraday["session"].astype(rows["session"].dtype)
    found = rows.merge(intraday.assign(session=days), on=keys, how="left", validate="1:1")
    own = found.groupby("underlying", sort=False)
    found["volatility_week"] = own["volatility"].transform(lambda s: s.rolling(5).mean())
    for name in ("volatility", "momentum"):
        found[f"{name}_next"] = own[name].shift(-1).where(following.to_numpy())
    return found


def cross_section_tests(
    section: CrossSection,
    calendar: TradingCalendar,
    names: Sequence[str] | None = None,
    *,
    intraday: pd.DataFrame | None = None,
) -> tuple[tuple[CrossSectionResult, ...], dict[str, int]]:
    """Test claims that need many underlyings.

    Parameters
    ----------
    section : CrossSection
        From `gexlab.data.cross_section`.
    calendar : TradingCalendar
        Of all its underlyings.
    names : sequence of str, optional
        Names of `CROSS_SECTION_FORMS`; all by default.
    intraday : DataFrame, optional
        From `intraday_panel`, for the claims about what happens within a session.

    Returns
    -------
    tuple of CrossSectionResult
    dict of str to int
        Rows that were left out, by reason; see `cross_section_panel`.

    Raises
    ------
    UnknownNameError
        If there is no such claim.
    """
    known = {form.name: form for form in CROSS_SECTION_FORMS}
    for name in names or ():
        if name not in known:
            raise UnknownNameError("cross-sectional hypothesis", name, list(known))
    panel, left = cross_section_panel(section, calendar, intraday)
    forms = [known[name] for name in names] if names else list(CROSS_SECTION_FORMS)
    return tuple(_tested(form, panel) for form in forms), left


def _tested(form: Form, panel: pd.DataFrame) -> CrossSectionResult:
    columns = [form.regressor, *form.controls]
    rows = panel.dropna(subset=[form.target, *columns])
    try:
        fit, scale = _fitted(form, panel, rows, columns)
    except NotEnoughDataError as error:
        nan = float("nan")
        return CrossSectionResult(
            form.name, form.claim, form.source, form.published, nan, nan, nan, nan, len(rows),
            rows["underlying"].nunique(), rows["session"].nunique(), form.sign, "needs data",
            str(error),
        )  # fmt: skip
    p = fit.p_value(0, form.sign)
    spread = _spread(form, rows) if form.target == "return_next" else None
    estimate = float(fit.slopes[0]) * scale
    verdict = "supported" if p <= _LEVEL else "not supported"
    if not np.isfinite(p):
        verdict = "needs data"
    return CrossSectionResult(
        form.name, form.claim, form.source, form.published, estimate,
        float(fit.std_errors[0]) * scale, float(fit.t_stats[0]), p, fit.n, fit.names, fit.dates,
        form.sign, verdict, _reason(estimate, p, fit),
        None if spread is None else spread[0], None if spread is None else spread[1],
    )  # fmt: skip


def _fitted(
    form: Form, panel: pd.DataFrame, rows: pd.DataFrame, columns: Sequence[str]
) -> tuple[PanelFit, float]:
    """Return the fit, and what makes a slope basis points per standard deviation."""
    if rows.empty and panel[form.regressor].isna().all() and form.regressor == "imbalance":
        raise NotEnoughDataError("dollar volume of the underlyings: name a file (--volumes)")
    if rows.empty and form.target in _WITHIN and panel[form.target].isna().all():
        raise NotEnoughDataError("intraday bars of the underlyings: name a file (--intraday)")
    names, dates = rows["underlying"].nunique(), rows["session"].nunique()
    if names < _LEAST or dates < _LEAST:
        raise NotEnoughDataError(
            f"at least {_LEAST} names and {_LEAST} sessions: found {names} and {dates}"
        )
    x = rows[list(columns)].to_numpy("float64")
    spread = float(x[:, 0].std(ddof=1))
    if not spread > 0:
        raise NotEnoughDataError(f"{form.regressor} that varies")
    fit = panel_fit(rows[form.target].to_numpy("float64"), x, rows["underlying"].to_numpy(),
                    rows["session"].to_numpy())  # fmt: skip
    return fit, spread * 1e4


def _spread(form: Form, rows: pd.DataFrame) -> tuple[float, float]:
    """Return the mean return of the highest quintile less the lowest, bp a session, and its t."""
    daily: list[float] = []
    for _, day in rows.groupby("session"):
        if len(day) < _LEAST:
            continue
        rank = day[form.regressor].rank(method="average") / len(day)
        high = day.loc[rank > 0.8, form.target].mean()
        low = day.loc[rank <= 0.2, form.target].mean()
        daily.append(high - low)
    values: Any = np.asarray([v for v in daily if np.isfinite(v)])
    if len(values) < _LEAST:
        return float("nan"), float("nan")
    error = values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() * 1e4), float(values.mean() / error)


def _reason(estimate: float, p: float, fit: PanelFit) -> str:
    said = f"{estimate:+.1f} bp per standard deviation, one-sided p {p:.3f}"
    few = []
    if fit.dates < _FEW_DATES:
        few.append(f"{fit.dates} sessions")
    if fit.names < _FEW_NAMES:
        few.append(f"{fit.names} names")
    return said + (f"; hangs on few: {' and '.join(few)}" if few else "")
