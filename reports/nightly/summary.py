"""A night in one line, fit for the subject of a mail, and in a few for a chat."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ...data import shown
from ..page.formats import DASH, day, is_defined, level, money, percent, plural, signed
from ..page.sections import words
from ..page.sections.story import PARTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...backtest import Target
    from ..session.morning import Morning

__all__ = ["SUMMARY_FILE", "facts_of_night", "markdown_of", "one_line"]

SUMMARY_FILE: Final = "summary.md"


def facts_of_night(morning: Morning) -> dict[str, Any]:
    """Return the last session's numbers by the names of the regime table; undefined is None."""
    result, row = morning.result, morning.history.iloc[-1]
    names = ("spot", "flip", "flip_distance", "call_wall", "put_wall", "net_to_gross")
    change = None if morning.story is None else morning.story.change
    quality = "ok"
    if morning.picture is not None:
        quality = str(morning.picture.row["quality"])
    return {
        "underlying": result.data.underlying,
        "session": day(morning.session),
        "regime": morning.regime,
        "quality": quality,
        "value": _plain(row["value"]),
        "currency": "" if morning.story is None else morning.story.sign,
        **{name: _plain(row[name]) if name in row else None for name in names},
        "definition_id": result.regime.definition_id,
        "content_id": result.provenance.content_id,
        "change": _change(change),
    }


def _plain(value: object) -> float | None:
    return float(value) if is_defined(value) else None  # type: ignore[arg-type]


def _change(change: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the change since the previous session and its largest part."""
    if change is None:
        return None
    part = max(PARTS, key=lambda name: abs(change[name]))
    return {
        "since": day(change["previous_session"]),
        "by": float(change["after"] - change["before"]),
        "mostly": PARTS[part],
        "part": float(change[part]),
    }


def one_line(facts: dict[str, Any], alerts: Sequence[str], rejected: int, put_aside: int) -> str:
    """Return regime, spot, flip and walls, what changed and why, and what was left out.

    Alerts stand first. Names are text: nothing in them can end the line.
    """
    said = [f"{facts['underlying']} {facts['session']}: {words.regime(facts['regime'])}"]
    if is_defined(facts["spot"]):
        said.append(f"spot {level(facts['spot'])}, {_flip(facts)}")
    walls = [
        f"{name} {level(facts[key])}"
        for key, name in (("put_wall", "put wall"), ("call_wall", "call wall"))
        if is_defined(facts[key])
    ]
    said += [", ".join(walls)] if walls else []
    if facts["change"] is not None:
        said.append(_changed(facts))
    left_out = [plural(rejected, "row") + " rejected"] if rejected else []
    left_out += [plural(put_aside, "file") + " put aside"] if put_aside else []
    line = "; ".join([*said, *left_out])
    return shown(". ".join([*alerts, line]))


def _flip(facts: dict[str, Any]) -> str:
    if not is_defined(facts["flip"]):
        return "no flip"
    side = "below" if facts["flip"] < facts["spot"] else "above"
    return f"flip {level(facts['flip'])} ({percent(abs(facts['flip'] / facts['spot'] - 1))} {side})"


def _changed(facts: dict[str, Any]) -> str:
    change, sign = facts["change"], facts["currency"]
    net = money(facts["value"], sign=sign) if is_defined(facts["value"]) else DASH
    word = "up" if change["by"] > 0 else "down"
    return (
        f"net GEX {net}, {word} {money(abs(change['by']), sign=sign)} since {change['since']}, "
        f"most by {change['mostly']} ({money(change['part'], sign=sign)})"
    )


def markdown_of(facts: dict[str, Any], alerts: Sequence[str], targets: Sequence[Target]) -> str:
    """Return a night in Markdown: what must be known first, the session, tomorrow's targets."""
    head = f"**{_text(facts['underlying'])} {facts['session']}: {words.regime(facts['regime'])}**"
    lines = [*(f"> **{_text(alert)}**\n" for alert in alerts), head, ""]
    lines += [f"- {_text(part)}" for part in one_line(facts, (), 0, 0).split("; ")[1:]]
    lines += ["", "| strategy | target | label | valid until | |", "|---|---:|---|---|---|"]
    lines += [
        f"| {_text(t.strategy)} | {signed(t.target)} | {t.label} "
        f"| {t.valid_until:%Y-%m-%d %H:%M} UTC | {_text(t.abstains)} |"
        for t in targets
    ]
    return "\n".join(lines) + f"\n\ncontent id `{facts['content_id']}`\n"


def _text(value: object) -> str:
    """Return a text in which Markdown finds nothing to act on."""
    return re.sub(r"([\\`*_{}\[\]()<>#+!|~&@$:/-])", r"\\\1", shown(str(value)))
