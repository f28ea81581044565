"""Why a session has its regime: the tables behind ``gexlab explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..formats import count, day, fixed, level, moment, money, percent, plural, signed
from ..profile_page import profile_page
from ..views import SEVERITY_TONES, Column, Page, Row, Section, Table, text_column
from . import words
from .story import change_section, future_section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...session.audit import Decision
    from ...session.picture import SessionPicture
    from ...session.story import SessionStory

__all__ = [
    "contracts_table",
    "decisions_table",
    "definitions_table",
    "disagreement",
    "explanation_page",
    "findings_table",
    "roots_table",
]

_MOST = 20


def explanation_page(
    picture: SessionPicture,
    story: SessionStory,
    decisions: Sequence[Decision] = (),
    *,
    simulated: bool = False,
) -> Page:
    """Return the page that leads from a regime back to its contracts and on to its orders."""
    page = profile_page(picture, simulated=simulated)
    why = (
        Section("contracts", "Contracts", tables=(contracts_table(picture),)),
        Section(
            "definitions",
            "Definitions and roots",
            text=(disagreement(picture),),
            tables=(definitions_table(picture), roots_table(picture)),
        ),
        Section("findings", "Findings", tables=(findings_table(picture),)),
    )
    came = () if story.change is None else (change_section(story.change, story.sign),)
    acted = (
        Section(
            "decisions", "Decision and fill", tables=(decisions_table(decisions, picture.sign),)
        ),
    )
    return Page(
        title=page.title.replace("gamma profile", "why this regime"),
        heading=page.heading,
        summary=page.summary,
        simulated=simulated,
        sections=(
            *page.sections,
            *came,
            future_section(story),
            *why,
            *(acted if decisions else ()),
        ),
    )


def contracts_table(picture: SessionPicture, most: int = _MOST) -> Table:
    """Return the lines that carry most gamma, and how much of it they carry."""
    columns = (
        text_column("Expiry"),
        text_column("Settles"),
        Column("Strike", "points"),
        Column("Volatility", "a year"),
        Column("Calls", "per 1 %"),
        Column("Puts", "per 1 %"),
        Column("Net", "per 1 %"),
        Column("Share", "of gross"),
    )
    top = picture.lines.head(most)
    rows = tuple(
        Row(
            (
                day(r["expiry"]),
                str(r["settlement"]),
                level(r["strike"]),
                percent(r["volatility"]),
                money(r["call_gex"], sign=picture.sign),
                money(r["put_gex"], sign=picture.sign),
                money(r["net_gex"], sign=picture.sign),
                percent(r["share_of_gross"]),
            )
        )
        for r in top.to_dict("records")
    )
    share = percent(float(top["share_of_gross"].sum()), 0) if len(top) else "–"
    note = f"Calls and puts of one expiry and strike share a line; these carry {share} of gross."
    caption = f"Largest lines of the book, {count(len(top))} of {count(len(picture.lines))}"
    return Table("tab-contracts", caption, columns, rows, note)


def disagreement(picture: SessionPicture) -> str:
    """Return how many of the 16 definitions give the row's sign."""
    sign = _sign(picture.row["net_gex"])
    against = sum(_sign(net) != sign for net in picture.definitions["net_gex"])
    total = len(picture.definitions)
    if not against:
        return f"All {total} definitions give the same sign."
    return f"{plural(against, 'definition')} of {total} would give the other sign, or none."


def _sign(value: Any) -> int:
    return 0 if value is None or value != value else (value > 0) - (value < 0)


def definitions_table(picture: SessionPicture) -> Table:
    """Return net GEX under each of the 16 definitions; those that disagree stand out."""
    sign = _sign(picture.row["net_gex"])
    columns = (
        text_column("Volatility"),
        text_column("Book"),
        text_column("Shortest life"),
        text_column("Carry"),
        Column("Net GEX", "per 1 %"),
        text_column("Sign"),
    )
    rows = tuple(
        Row(
            (
                r["iv_source"],
                r["book"],
                "1 day" if r["floor_minutes"] >= 1440 else f"{fixed(r['floor_minutes'], 0)} min",
                "as configured" if r["carry"] else "none",
                money(r["net_gex"], sign=picture.sign),
                "same" if _sign(r["net_gex"]) == sign else "differs",
            ),
            "" if _sign(r["net_gex"]) == sign else "warn",
        )
        for r in picture.definitions.to_dict("records")
    )
    return Table("tab-sixteen", "The same chain under 16 definitions", columns, rows)


def roots_table(picture: SessionPicture) -> Table:
    """Return every level at which the profile changes its sign."""
    spot = float(picture.row["spot"])
    columns = (
        Column("Level", "points"),
        Column("From spot"),
        text_column("Direction"),
        Column("Slope", "per 1 % of level"),
        text_column("Flip"),
    )
    rows = tuple(
        Row(
            (
                fixed(r["level"], 2),
                percent(r["level"] / spot - 1.0, sign=True),
                str(r["direction"]),
                money(r["slope"] * 0.01, sign=picture.sign),
                "nearest" if r["level"] == picture.row["flip"] else "",
            )
        )
        for r in picture.roots.to_dict("records")
    )
    return Table("tab-roots", "Sign changes of the profile", columns, rows)


def findings_table(picture: SessionPicture) -> Table:
    """Return what was noticed about the session."""
    columns = (
        text_column("Finding"),
        text_column("Severity"),
        Column("Count"),
        Column("Open interest", "contracts"),
        text_column("Detail"),
    )
    rows = tuple(
        Row(
            (
                str(r["check"]).replace("_", " "),
                str(r["severity"]),
                count(r["count"]),
                count(r["open_interest"]),
                str(r["detail"]),
            ),
            SEVERITY_TONES.get(str(r["severity"]), ""),
        )
        for r in picture.findings.to_dict("records")
    )
    return Table("tab-findings", "Noticed in this session", columns, rows)


def decisions_table(decisions: Sequence[Decision], sign: str) -> Table:
    """Return the orders that were decided on the session."""
    columns = (
        text_column("Strategy"),
        text_column("Label"),
        text_column("Decided"),
        text_column("Filled"),
        Column("Target"),
        Column("Shares"),
        Column("Price", "points"),
        Column("Fees", sign.strip()),
    )
    rows = tuple(
        Row(
            (
                d.strategy,
                words.regime(d.regime),
                moment(d.decision_ts),
                moment(d.fill_ts),
                percent(d.target, 0, sign=True),
                signed(d.size, 1),
                level(d.price),
                fixed(d.fees),
            ),
            words.tone(d.regime),
        )
        for d in decisions
    )
    return Table("tab-decisions", "Orders decided on this session", columns, rows)
