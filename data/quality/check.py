"""Data quality: what is wrong with which session, how grave it is, and how much it touches."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import ConfigError
from ..base.reprs import short_repr
from ..lake.naming import chosen, is_several
from ..tables.underlying_settings import UnderlyingSettings, load_underlying_settings
from .finding import Finding, Severity
from .implied_spot import implied_spot_findings
from .looks import COVERAGE, SessionLook, coverage_of, looks_of, measured_detail
from .messages import CHECKS
from .session_checks import session_findings
from .thresholds import Thresholds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from ..lake.lake import Lake

__all__ = ["CheckResult", "check", "coverage", "findings", "findings_frame", "with_findings"]

#: Bars whose closes are further than this from the chains' spots in the median (log distance) are
#: of another instrument.
_SAME_INSTRUMENT: Final = 0.05


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Outcome of `check` over one or all underlyings of a lake.

    Attributes
    ----------
    sessions : dict of str to int
        Sessions looked at, by underlying.
    findings : dict of str to tuple of Finding
        Findings by underlying, in order of session and check.
    """

    sessions: dict[str, int]
    findings: dict[str, tuple[Finding, ...]]
    __repr__ = short_repr

    def counts(self) -> dict[Severity, int]:
        """Return the number of findings of each severity, the gravest first.

        Returns
        -------
        dict of {"error", "warning", "info"} to int
            Severities without a finding are 0.
        """
        found = Counter(f.severity for each in self.findings.values() for f in each)
        return {"error": found["error"], "warning": found["warning"], "info": found["info"]}


def check(
    lake: Lake | str | Path,
    underlying: str | None = None,
    *,
    thresholds: Thresholds | None = None,
    bars: pd.DataFrame | None = None,
    rate: float = 0.0,
    dividend_yield: float = 0.0,
    settings: UnderlyingSettings | str | Path | None = None,
) -> CheckResult:
    """Look for whatever is wrong in a lake.

    Parameters
    ----------
    lake : Lake or path
    underlying : str, optional
        All of them where not given; several by commas or a pattern (capitals matter).
    thresholds : Thresholds, optional
        From which size on something is a finding.
    bars : DataFrame, optional
        Daily bars of the underlying, as for `findings`: spots are then held against their closes.
    rate, dividend_yield : float
        As for `findings`: of the definition that the chains are meant for.
    settings : UnderlyingSettings or path, optional
        Rates, dealer model and kind by underlying, which go before these.

    Returns
    -------
    CheckResult
        Findings, gravest first, and what each session holds.

    Raises
    ------
    ConfigError
        If there are bars and several underlyings: bars are of one of them.
    """
    from ..lake.lake import open_lake

    lake = lake if not isinstance(lake, (str, Path)) else open_lake(lake)
    names = [underlying] if underlying is not None else lake.underlyings()
    if underlying is not None and is_several(underlying):
        names = chosen(underlying, lake.underlyings())
    if not isinstance(settings, UnderlyingSettings):
        settings = load_underlying_settings(settings) if settings else UnderlyingSettings()
    if bars is not None and len(names) != 1:
        raise ConfigError(
            f"daily bars are of one underlying, the lake holds {', '.join(names)}: say which is "
            "meant, e.g. --underlying " + (names[0] if names else "SPX")
        )
    asked = {
        name: findings(
            lake,
            name,
            thresholds=thresholds,
            bars=bars,
            **_assumed(settings, name, rate, dividend_yield),
        )
        for name in names
    }
    return CheckResult(
        {name: len(lake.sessions(name)) for name in names},
        {name: tuple(found) for name, found in asked.items()},
    )


def _assumed(
    settings: UnderlyingSettings, name: str, rate: float, dividend_yield: float
) -> dict[str, Any]:
    """Return rates, dealer model and kind of an underlying, where settings say them."""
    said = settings.of(name).values
    return {
        "rate": said.get("rate", rate),
        "dividend_yield": said.get("dividend_yield", dividend_yield),
        "dealer_model": said.get("dealer"),
        "instrument": said.get("instrument"),
    }


def with_findings(result: CheckResult, more: Sequence[Finding]) -> CheckResult:
    """Return the outcome of a check of one underlying with what was found besides its chains.

    Parameters
    ----------
    result : CheckResult
    more : sequence of Finding
        About bars, series or the rebuild.

    Returns
    -------
    CheckResult
        All findings, gravest first.
    """
    joined = {
        name: tuple(sorted((*found, *more), key=_order)) for name, found in result.findings.items()
    }
    return CheckResult(result.sessions, joined)


def findings(
    lake: Lake,
    underlying: str,
    *,
    thresholds: Thresholds | None = None,
    bars: pd.DataFrame | None = None,
    calendar: str | None = None,
    rate: float = 0.0,
    dividend_yield: float = 0.0,
    dealer_model: str | None = None,
    instrument: str | None = None,
) -> list[Finding]:
    """Return what is wrong with the sessions of an underlying.

    Parameters
    ----------
    lake : Lake
        An open lake.
    underlying : str
        E.g. ``"SPX"``.
    thresholds : Thresholds, optional
        From which size on something is a finding.
    bars : DataFrame, optional
        Daily bars indexed by session with a column ``close``: the official closes that spots are
        held against. Without them, and with bars of another instrument (further than 5 % off in
        the median), that check is left out.
    calendar : str, optional
        Exchange calendar; the one that the chains were stamped with where not given.
    rate, dividend_yield : float, optional
        Continuous rates of the definition, decimal. Where both are 0, sessions whose quotes give
        no usable parity forward raise ``no_carry``.
    dealer_model, instrument : str, optional
        The dealer model and the kind of instrument (``share`` for a single stock) that the
        regime is meant for: ``naive`` on a share is a finding.

    Returns
    -------
    list of Finding
        In order of session and check; findings about the underlying as a whole come first.
    """
    limits = thresholds or Thresholds()
    manifest = lake.manifest(underlying)
    instrument = manifest.agreed_instrument(instrument)
    with lake.reading():
        entries = lake.sessions(underlying)
        looks = looks_of(lake, underlying, entries, limits, (rate, dividend_yield))
    found = [finding for look in looks for finding in look.findings]
    found += session_findings(looks, manifest.agreed_calendar(calendar), limits)
    if bars is not None:
        found += _off_close(looks, bars, limits)
    found += implied_spot_findings(manifest)
    found += _about_the_model(dealer_model, instrument, limits)
    return sorted(found, key=_order)


def coverage(lake: Lake, underlying: str) -> pd.DataFrame:
    """Return what each session holds: the picture of coverage through time.

    Parameters
    ----------
    lake : Lake
    underlying : str

    Returns
    -------
    DataFrame, one row per session
        ``session, quote_ts, known_at, oi_asof, spot, contracts, live, expiries, open_interest,
        open_interest_known, volatility_known, two_sided`` (shares of 0 ... 1; the last two of the
        live contracts), ``lowest_strike, highest_strike`` (of live contracts with open interest,
        as a ratio to spot), ``sources``. NaN where nothing is there to be measured.
    """
    import pandas as pd

    with lake.reading():
        entries = lake.sessions(underlying)
        rows = coverage_of(lake, underlying, entries)
    frame = pd.DataFrame(rows, columns=pd.Index(COVERAGE))
    moments = {name: pd.to_datetime(frame[name], utc=True) for name in ("quote_ts", "known_at")}
    frame = frame.assign(**moments, oi_asof=pd.to_datetime(frame["oi_asof"]))
    frame.insert(0, "session", pd.to_datetime([entry.session for entry in entries]))
    return frame


def findings_frame(found: Sequence[Finding]) -> pd.DataFrame:
    """Return findings as a table: ``session, check, severity, count, open_interest, detail``.

    Parameters
    ----------
    found : sequence of Finding

    Returns
    -------
    DataFrame
        One row per finding, in their order; ``open_interest`` is NaN where it has no meaning.
    """
    import pandas as pd

    columns = ["session", "check", "severity", "count", "open_interest", "detail"]
    rows = [[getattr(finding, column) for column in columns] for finding in found]
    frame = pd.DataFrame(rows, columns=pd.Index(columns))
    return frame.astype({"count": "int64", "open_interest": "float64"})


def _off_close(
    looks: Sequence[SessionLook], bars: pd.DataFrame, limits: Thresholds
) -> Iterator[Finding]:
    """Yield the sessions whose spot is off the official close of their bar."""
    name = "spot_off_close"
    import pandas as pd

    days = pd.DatetimeIndex(bars.index).date
    closes = dict(zip(days, bars["close"].astype("float64").tolist(), strict=True))
    held = [(look, closes.get(look.session, math.nan)) for look in looks]
    off = [(look, abs(math.log(look.spot / close))) for look, close in held if close > 0]
    if not off or median(distance for _, distance in off) > _SAME_INSTRUMENT:
        return
    for look, distance in off:
        if distance > limits.limit(name):
            interest = math.nan if look.open_interest is None else look.open_interest
            detail = measured_detail(name, distance, limits)
            yield Finding(
                look.session, name, CHECKS[name].severity, look.contracts, interest, detail
            )


def _about_the_model(
    dealer_model: str | None, instrument: str | None, limits: Thresholds
) -> list[Finding]:
    name = "naive_single_stock"
    if dealer_model != "naive" or instrument != "share" or limits.limit(name) >= 1:
        return []
    return [Finding(None, name, CHECKS[name].severity, 1, math.nan, CHECKS[name].meaning)]


def _order(finding: Finding) -> tuple[str, str]:
    return (finding.session.isoformat() if finding.session else "", finding.check)
