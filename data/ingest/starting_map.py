"""A starting column map, as TOML: what was recognised in a file, and what is to be confirmed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from ..vendors.roots import AM_INDICES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["starting_map"]

_COMMENTS: Final = {
    "session": "exchange session of the quotes",
    "quote_ts": "moment of the quotes",
    "symbol": "root, expiry, strike and right, out of a whole option symbol",
    "open_interest": "contracts",
    "iv": "decimal: 0.18, not 18",
    "spot": "underlying at the moment of the quotes",
}


def starting_map(
    warnings: Sequence[tuple[str, str]],
    by_meaning: Mapping[str, str],
    encoding: str,
    underlyings: tuple[str, ...],
    *,
    coins: bool = False,
) -> str:
    """Return a starting map: what was recognised, and what the user has to confirm.

    Parameters
    ----------
    warnings : sequence of (str, str)
        Columns of the file that look wrong, each with the reason.
    by_meaning : mapping of str to str
        Canonical column, ``symbol`` or ``time``, to the file's.
    encoding : str
    underlyings : tuple of str
        Seen in the file.
    coins : bool, default False
        Whether these are options of a coin, of which a contract delivers one.
    """
    stated = {m: n for m, n in by_meaning.items() if m != "time"}
    quoted = {"bid", "ask"} <= set(stated)
    lines = [] if encoding == "utf-8" else [f'encoding = "{encoding}"']
    if "spot" not in stated and quoted:
        lines.append('spot = "parity"               # no spot found: implied from the quotes')
    lines += ["[columns]", *_column_lines(stated, by_meaning.get("time"))]
    scales = [text.rpartition("[scale] ")[2] for _, text in warnings if "[scale] " in text]
    lines += ["[scale]", *scales] if scales else []
    if encoding == "cp950":
        lines += ["[constants]", "multiplier = 50               # check: what a contract delivers"]
    elif coins and "multiplier" not in stated:
        lines += ["[constants]", "multiplier = 1                # check: coins that a contract is"]
    lines += _timing_lines(stated, by_meaning.get("time"), encoding, underlyings)
    lines += [f"# {name}: {' '.join(text.split())}" for name, text in warnings if text]
    lacking = {"expiry", "strike", "right", "open_interest"} - set(by_meaning)
    if lacking and "symbol" not in by_meaning:
        lines.append(f"# not found: {', '.join(sorted(lacking))}")
    if "spot" not in stated and not quoted:
        lines.append("# no spot found: name it in [constants], or join closes ([join.spot])")
    return "\n".join(lines) + "\n"


def _column_lines(stated: dict[str, str], clock: str | None) -> list[str]:
    def quoted(name: str) -> str:
        return json.dumps(name, ensure_ascii=False)

    lines = []
    left = dict(stated)
    if "symbol" in left:
        lines.append(f"symbol = {quoted(left.pop('symbol'))}   # {_COMMENTS['symbol']}")
        left = {k: v for k, v in left.items() if k not in ("root", "expiry", "strike", "right")}
    if clock is not None and "session" in left and "quote_ts" not in left:
        day = left.pop("session")
        lines.append(f"quote_ts = {{ date = {quoted(day)}, time = {quoted(clock)} }}")
    for meaning, name in left.items():
        comment = f"   # {_COMMENTS[meaning]}" if meaning in _COMMENTS else ""
        lines.append(f"{meaning} = {quoted(name)}{comment}")
    return lines


def _timing_lines(
    stated: dict[str, str], clock: str | None, encoding: str, underlyings: tuple[str, ...]
) -> list[str]:
    lines = ["[timing]                      # check each of these"]
    if encoding == "cp950":
        lines.append('calendar = "XTAI"')
    if "quote_ts" not in stated and clock is None:
        lines.append('quote_time = "close"          # or "HH:MM", when the quotes were taken')
    if "known_at" not in stated:
        lines.append('known_at = "next_open"        # from when on the rows were public')
    lines.append("oi_lag_sessions = 1           # open interest settled after the previous session")
    index = bool(underlyings) and underlyings[0] in AM_INDICES
    lines.append(f'settlement = "{"third_friday" if index else "PM"}"')
    return lines
