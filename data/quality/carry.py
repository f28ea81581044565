"""Carry that is missing from a net GEX: said wherever the number is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["CARRY_FINDINGS", "carry_sentence", "carry_summary"]

#: Findings of a rebuild after which forwards, and so net GEX, rest on rates that are missing or
#: contradict the quotes.
CARRY_FINDINGS: Final = ("no_carry", "parity_outside_guard")

_WORDS: Final = {
    "no_carry": "Carry is missing",
    "parity_outside_guard": "The carry is in doubt",
}


def carry_sentence(check: str, detail: str) -> str:
    """Return what a reader of one session's number must know.

    Parameters
    ----------
    check : {"no_carry", "parity_outside_guard"}
    detail : str
        What was measured, in the words of the finding.

    Returns
    -------
    str

    Examples
    --------
    >>> carry_sentence("no_carry", "100.0% of the open interest has no parity forward")
    'Carry is missing (no_carry): 100.0% of the open interest has no parity forward.'
    """
    return f"{_WORDS[check]} ({check}): {detail}."


def carry_summary(found: Iterable[tuple[str, str]], sessions: int) -> Sequence[str]:
    """Return a sentence for each finding about carry: in how many sessions, from when to when.

    Parameters
    ----------
    found : iterable of (str, str)
        Finding and ISO session.
    sessions : int
        Of the whole table.

    Returns
    -------
    list of str
        Empty where nothing was found.

    Examples
    --------
    >>> carry_summary([("no_carry", "2026-07-01"), ("no_carry", "2026-07-02")], 9)[0]
    'Carry is missing (no_carry) in 2 of 9 sessions, 2026-07-01 to 2026-07-02: net GEX there rests \
on F = S; rebuild with --rate and --dividend-yield.'
    """
    days: dict[str, set[str]] = {}
    for check, session in found:
        if check in CARRY_FINDINGS:
            days.setdefault(check, set()).add(session)
    return [_summary(check, days[check], sessions) for check in CARRY_FINDINGS if check in days]


def _summary(check: str, days: set[str], sessions: int) -> str:
    first, last = min(days), max(days)
    when = first if first == last else f"{first} to {last}"
    what = (
        "net GEX there rests on F = S; rebuild with --rate and --dividend-yield"
        if check == "no_carry"
        else "the quotes' forwards contradict the configured rates there; correct the rates, or "
        "look at the moments of quotes and spot"
    )
    return f"{_WORDS[check]} ({check}) in {len(days)} of {sessions} sessions, {when}: {what}."
