"""One session's gamma: strikes, profile, flip, walls, expiries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ....data import CARRY_FINDINGS, carry_sentence
from ..charts import axis, bars, dots, figure, layout, line, rounded
from ..formats import fixed, is_defined, joined, level, moment, money, percent
from ..palette import token
from ..views import Fact, Figure, Section
from . import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from ...session.picture import SessionPicture

__all__ = [
    "FLIP_STATUS",
    "MARKS",
    "NEAR",
    "carry_warnings",
    "facts_of",
    "has",
    "mark_at",
    "profile_figure",
    "profile_section",
    "sentence_of",
    "side_of",
    "strength",
    "strike_range",
    "unit_of",
]

#: What is marked in the picture: column of the regime row, name, dash, colour.
MARKS = (
    ("spot", "spot", "solid", "ink"),
    ("flip", "flip", "dash", "muted"),
    ("call_wall", "call wall", "dot", "call"),
    ("put_wall", "put wall", "dot", "put"),
)

FLIP_STATUS = {
    "ok": "the only level where the sign changes",
    "multiple": "the nearest of several levels",
    "none_long": "no level in sight: long gamma throughout",
    "none_short": "no level in sight: short gamma throughout",
    "degraded": "the quality gate failed",
}

#: Share of spot on either side that a picture shows.
NEAR = 0.10
#: Pixels of the picture on the narrowest screen, of the margin to its left, and of a letter.
_NARROW, _BESIDE, _LETTER = 280.0, 40.0, 6.7


def profile_section(picture: SessionPicture) -> Section:
    """Return the facts and the picture of one session."""
    warnings: tuple[str, ...] = ()
    if picture.row["quality"] != "ok":
        reasons = joined(str(picture.row["quality"]).replace("_", " ").split(","))
        warnings = (f"The quality gate failed ({reasons}): no regime is claimed.",)
    return Section(
        id="profile",
        title="Gamma profile",
        facts=facts_of(picture),
        figures=(profile_figure(picture),),
        warnings=warnings + carry_warnings(picture),
    )


def sentence_of(picture: SessionPicture) -> str:
    """Return the session's regime in one or two sentences."""
    row = picture.row
    pressure = _PRESSURE.get(row["regime"], "")
    share = percent(row["net_to_gross"], 0)
    net = f"Net GEX {money(row['net_gex'], sign=picture.sign)} of delta per +1 %, {share} of gross"
    if not is_defined(row["flip"]):
        return f"{net}; {FLIP_STATUS.get(row['flip_status'], 'no flip')}. {pressure}".strip()
    side = "below" if row["flip"] < row["spot"] else "above"
    away = percent(abs(row["flip"] / row["spot"] - 1.0))
    return f"{net}; flip at {level(row['flip'])}, {away} {side} spot. {pressure}".strip()


_PRESSURE = {
    "long": "Dealers, if they are who the model says, sell strength and buy weakness.",
    "short": "Dealers, if they are who the model says, buy strength and sell weakness.",
    "neutral": "Long and short gamma all but cancel: no regime to speak of.",
    "abstain": "The data do not carry a regime.",
}


def carry_warnings(picture: SessionPicture) -> tuple[str, ...]:
    """Return what the session's net GEX lacks of carry, in a sentence each."""
    found = picture.findings
    about = found[found["check"].isin(CARRY_FINDINGS)]
    return tuple(
        carry_sentence(check, detail)
        for check, detail in zip(about["check"], about["detail"], strict=True)
    )


def facts_of(picture: SessionPicture) -> tuple[Fact, ...]:
    """Return the numbers of the regime row that a desk looks at first."""
    row = picture.row
    return (
        Fact("Regime", words.regime(row["regime"]), row["book"], words.tone(row["regime"])),
        Fact("Net GEX", money(row["net_gex"], sign=picture.sign), "of delta per +1 %"),
        Fact(
            "Net / gross",
            fixed(row["net_to_gross"], 3),
            f"gross {money(row['gross_gex'], sign=picture.sign)}",
        ),
        Fact("Spot", level(row["spot"]), f"valued {moment(row['valuation_ts'])}"),
        Fact("Flip", level(row["flip"]), FLIP_STATUS.get(row["flip_status"], "")),
        Fact("Call wall", level(row["call_wall"]), strength(row["call_wall_strength"])),
        Fact("Put wall", level(row["put_wall"]), strength(row["put_wall_strength"])),
        Fact("Pin strike", level(row["pin_strike"]), strength(row["pin_strength"])),
        Fact(
            "30-day volatility",
            percent(picture.implied["swap_30d"]),
            f"variance swap; {percent(picture.implied['atm_30d'])} at the money",
        ),
        Fact(
            "Expected move",
            fixed(picture.implied["expected_move"], 1),
            "points, one s.d. of a session",
        ),
        Fact("0DTE share", percent(row["gex_0dte_share"]), "of gross"),
        Fact("Next monthly", percent(row["gex_next_opex_share"]), "of gross"),
        Fact(
            "Definitions agree",
            percent(row["definition_agreement"], 0),
            "of 16 give this sign; no probability",
        ),
        Fact("Contracts", fixed(row["contracts_used"], 0), _rejected(row)),
        Fact("Definition", row["definition_id"], f"{row['dealer_model']} dealers"),
    )


def strength(value: Any) -> str:
    """Return a wall's share of gross in words; empty where there is no wall."""
    return f"{percent(value)} of gross" if is_defined(value) else ""


def _rejected(row: dict[str, Any]) -> str:
    return f"{percent(row['oi_rejected_share'], 2)} of open interest rejected"


def unit_of(values: Sequence[float], sign: str) -> tuple[float, str]:
    """Return the scale and name of the unit that suits the largest of some amounts.

    Examples
    --------
    >>> unit_of([3e6, -2e9], "$"), unit_of([3e6], "₹"), unit_of([12.0], "")
    ((1000000000.0, '$bn'), (1000000.0, '₹mm'), (1.0, 'currency'))
    """
    largest = max((abs(v) for v in values if is_defined(v)), default=0.0)
    scale, name = next(((s, n) for s, n in ((1e9, "bn"), (1e6, "mm")) if largest >= s), (1.0, ""))
    return scale, f"{sign.strip()}{name}" or "currency"


def profile_figure(picture: SessionPicture, *, height: int = 600) -> Figure:
    """Return strikes above and the repriced profile below, on one axis of levels."""
    row, strikes, profile = picture.row, picture.strikes, picture.profile
    spot = float(row["spot"])
    scale, unit = unit_of([*strikes["call_gex"], *strikes["put_gex"]], picture.sign)
    wide, unit_below = unit_of(profile["net_gex"].tolist(), picture.sign)
    levels = rounded(profile["level"])
    data = [
        *_strike_bars(strikes, scale, unit),
        *_profile_areas(levels, profile["net_gex"] / wide, unit_below),
        _roots(picture.roots),
    ]
    low, high = spot * (1.0 - NEAR), spot * (1.0 + NEAR)
    shape = layout(
        barmode="relative",
        bargap=0.15,
        xaxis=axis("level, points", anchor="y2", range=[low, high], tickformat=","),
        yaxis=axis(
            f"by strike, {unit} per 1 %",
            domain=[0.46, 1.0],
            zeroline=True,
            range=[edge / scale for edge in strike_range(strikes, spot)],
        ),
        yaxis2=axis(f"profile, {unit_below} per 1 %", domain=[0.0, 0.4], zeroline=True),
        shapes=[mark_at(row[key], dash, colour) for key, _, dash, colour in MARKS if has(row, key)],
        annotations=_labels(row),
        hovermode="closest",
    )
    caption = (
        "Above, dealer gamma by strike; below, the net of the whole book repriced at every level. "
        "It changes sign at the flip."
    )
    return Figure("fig-profile", _levels_in_words(row), caption, figure(data, shape), height)


def _levels_in_words(row: dict[str, Any]) -> str:
    """Return where spot stands between flip and walls, in a sentence."""
    walls = [
        f"{name} {level(row[key])}"
        for key, name in (("put_wall", "put wall"), ("call_wall", "call wall"))
        if has(row, key)
    ]
    between = f"; {joined(walls)}" if walls else ""
    if not has(row, "flip"):
        return f"Spot {level(row['spot'])}, no flip within 20 %{between}."
    side = "above" if row["spot"] >= row["flip"] else "below"
    away = percent(abs(row["spot"] / row["flip"] - 1.0))
    return f"Spot {level(row['spot'])} is {away} {side} the flip at {level(row['flip'])}{between}."


def strike_range(strikes: pd.DataFrame, spot: float) -> tuple[float, float]:
    """Return the vertical range of the strikes near spot, with room for the marks' names."""
    near = strikes[(strikes["strike"] / spot - 1.0).abs() <= NEAR]
    top = max(near["call_gex"].clip(lower=0).max(), near["put_gex"].clip(lower=0).max(), 0.0)
    low = min(near["call_gex"].clip(upper=0).min(), near["put_gex"].clip(upper=0).min(), 0.0)
    height = (top - low) or 1.0
    return float(low - 0.06 * height), float(top + 0.42 * height)


def _strike_bars(strikes: pd.DataFrame, scale: float, unit: str) -> list[dict[str, Any]]:
    hover = {
        "hovertemplate": f"%{{x:,}}: %{{y:.4g}} {unit} per 1 %<extra>%{{fullData.name}}</extra>"
    }
    at = rounded(strikes["strike"], 9)
    return [
        bars(at, strikes["call_gex"] / scale, "calls", "call", **hover),
        bars(at, strikes["put_gex"] / scale, "puts", "put", **hover),
    ]


def _profile_areas(levels: list[float], net: Any, unit: str) -> list[dict[str, Any]]:
    """Return the profile: its positive and negative part filled, the curve itself on top."""
    parts = []
    for name, part in (("long", net.clip(lower=0.0)), ("short", net.clip(upper=0.0))):
        area = line(levels, part, name, name, 0, yaxis="y2", hoverinfo="skip", showlegend=False)
        parts.append(area | {"fill": "tozeroy", "fillcolor": token(f"{name}-soft")})
    hover = f"%{{x:,.1f}}: %{{y:.4g}} {unit} per 1 %<extra>profile</extra>"
    curve = line(levels, net, "repriced profile", "ink", 2.0, yaxis="y2", hovertemplate=hover)
    return [*parts, curve]


def _roots(roots: pd.DataFrame) -> dict[str, Any]:
    zero = [0.0] * len(roots)
    mark = dots(rounded(roots["level"], 9), zero, "sign changes", "ink", "circle-open")
    return mark | {"yaxis": "y2", "hovertemplate": "sign change at %{x:,.2f}<extra></extra>"}


def has(row: dict[str, Any], key: str) -> bool:
    """Return whether a number of a regime row is defined."""
    return is_defined(row[key])


def mark_at(at: float, dash: str, colour: str) -> dict[str, Any]:
    """Return a vertical line at a level."""
    style = {"color": token(colour), "width": 1.3, "dash": dash}
    return {
        "type": "line",
        "x0": at,
        "x1": at,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": style,
        "layer": "above",
    }


def _labels(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the marks' names inside the picture's upper end, one below the other."""
    shown = [
        (key, name)
        for key, name, _, _ in MARKS
        if has(row, key) and abs(row[key] / row["spot"] - 1.0) <= NEAR
    ]
    return [
        {
            "x": row[key],
            "y": 0.995 - 0.045 * i,
            "yref": "paper",
            "xanchor": side_of(row[key] / row["spot"] - 1.0, _label(row, key, name)),
            "yanchor": "top",
            "text": _label(row, key, name),
            "showarrow": False,
            "font": {"size": 12, "color": token("ink")},
            "bgcolor": token("paper"),
            "borderpad": 1,
        }
        for i, (key, name) in enumerate(shown)
    ]


def _label(row: dict[str, Any], key: str, name: str) -> str:
    return f" {name} {level(row[key])} "


def side_of(away: float, name: str) -> Literal["left", "right"]:
    """Return which edge of a name stands at its mark: it lies away from spot, but inside.

    On a telephone the picture has 280 px and 40 of margin to its left. A put wall 6.4 % below spot,
    at 18 % of the picture, has 90 px to its left; ` put wall 17,500.0 ` needs 127.
    """
    from_left = _NARROW * (0.5 + 0.5 * away / NEAR)
    rooms: dict[Literal["left", "right"], float] = {
        "left": _NARROW - from_left,
        "right": from_left + _BESIDE,
    }
    edge: Literal["left", "right"] = "left" if away >= 0 else "right"
    other: Literal["left", "right"] = "right" if away >= 0 else "left"
    fits = rooms[edge] >= _LETTER * len(name) or rooms[edge] >= rooms[other]
    return edge if fits else other
