"""One session as it is drawn: the regime row and the frames behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from ...data import Explanation

__all__ = ["SPANS", "SessionPicture", "picture_of", "span_of"]

#: How far away an expiry is, nearest first.
SPANS = ("next expiry", "within 7 days", "within 31 days", "later")


@dataclass(frozen=True, slots=True, eq=False)
class SessionPicture:
    """One session, book, dealer model and definition.

    Attributes
    ----------
    row : dict
        The regime row; columns of ``regime_columns.REGIME_COLUMNS``, undefined is None.
    strikes : DataFrame
        ``strike, call_gex, put_gex, net_gex, gross_gex``, currency per 1 %.
    expiries : DataFrame
        ``expiry, settlement, forward, forward_source, net_gex, gross_gex, open_interest,
        contracts_used, contracts_rejected``; currency per 1 %.
    profile : DataFrame
        ``level, net_gex, gross_gex``; at a level the unit is currency per 1 % of that level.
    roots : DataFrame
        ``level, direction, slope``, ascending.
    lines : DataFrame
        ``expiry, settlement, strike, volatility, call_gex, put_gex, net_gex, gross_gex,
        share_of_gross``, largest first.
    definitions : DataFrame
        ``iv_source, book, floor_minutes, carry, net_gex`` of the 16 definitions.
    findings : DataFrame
        ``check, severity, count, open_interest, detail``.
    sign : str
        Of the currency that amounts are in; empty where unknown.
    implied : dict
        The chain's own volatility of 30 days and the expected move of a session.
    """

    row: dict[str, Any]
    strikes: pd.DataFrame
    expiries: pd.DataFrame
    profile: pd.DataFrame
    roots: pd.DataFrame
    lines: pd.DataFrame
    definitions: pd.DataFrame
    findings: pd.DataFrame
    sign: str
    implied: dict[str, Any]

    def labelled(self, band: float | None) -> SessionPicture:
        """Return the session with the label of another neutral band; None keeps its own.

        What abstains keeps abstaining.
        """
        if band is None:
            return self
        from ...data import regime_of

        ratio = self.row["net_to_gross"]
        abstained = self.row["regime"] == "abstain" or ratio is None
        label = regime_of(float("nan") if ratio is None else ratio, band, degraded=abstained)
        return replace(self, row={**self.row, "regime": label})

    def abstaining(self, checks: Sequence[str]) -> SessionPicture:
        """Return the session as a run that promotes findings saw it; no checks change nothing."""
        if not checks:
            return self
        reasons = [] if self.row["quality"] == "ok" else [self.row["quality"]]
        quality = ",".join([*reasons, *checks])
        return replace(self, row={**self.row, "regime": "abstain", "quality": quality})


def picture_of(explanation: Explanation, *, sign: str) -> SessionPicture:
    """Return what is drawn of a session.

    Parameters
    ----------
    explanation : Explanation
        With all its contracts: the stack by expiry adds them up.
    sign : str
        Of the underlying's currency.
    """
    import pandas as pd

    found = explanation.profile
    strikes = found.strikes
    by_strike = {
        "strike": strikes.strike,
        "call_gex": strikes.call,
        "put_gex": strikes.put,
        "net_gex": strikes.net,
        "gross_gex": strikes.gross,
    }
    curve = {"level": found.level, "net_gex": found.net_gex, "gross_gex": found.gross_gex}
    roots = [(r.level, r.direction, r.slope) for r in found.roots]
    verdicts = [
        (v.iv_source, v.book, v.floor_minutes, v.carry, v.net_gex) for v in explanation.verdicts
    ]
    names = ["iv_source", "book", "floor_minutes", "carry", "net_gex"]
    checks = ["check", "severity", "count", "open_interest", "detail"]
    return SessionPicture(
        row=found.row,
        strikes=pd.DataFrame(by_strike),
        expiries=pd.DataFrame(found.by_expiry),
        profile=pd.DataFrame(curve),
        roots=pd.DataFrame(roots, columns=["level", "direction", "slope"]),
        lines=explanation.contracts,
        definitions=pd.DataFrame(verdicts, columns=names),
        findings=pd.DataFrame(list(found.findings), columns=checks),
        sign=sign,
        implied=found.implied,
    )


def span_of(picture: SessionPicture) -> pd.Series[str]:
    """Return, for each of a picture's lines, which of `SPANS` its expiry falls into."""
    import pandas as pd

    expiry = picture.lines["expiry"]
    away = (expiry - pd.Timestamp(picture.row["session"])).dt.days
    words = [SPANS[1] if d <= 7 else SPANS[2] if d <= 31 else SPANS[3] for d in away]
    span = pd.Series(words, index=expiry.index)
    return span.where(expiry != expiry.min(), SPANS[0])
