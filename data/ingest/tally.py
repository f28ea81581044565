"""What an ingest counts while rows stream by, and the counts for which it is refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..base.errors import InputFileError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from ..vendors.vendor_preset import InputFile
    from .joined_file import JoinedFile

__all__ = ["Tally", "files_without_rows", "refuse_rejects"]


@dataclass(slots=True)
class Tally:
    """Counts that grow while rows stream by."""

    by_file: Counter[int] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    joins: tuple[JoinedFile, ...] = ()
    replaced: int = 0
    repeated: int = 0
    empty: int = 0
    first_rows: tuple[dict[str, Any], ...] = ()
    outside: int = 0
    rejected_by_file: Counter[tuple[int, str]] = field(default_factory=Counter)
    sessions: set[date] = field(default_factory=set)
    stated: set[str] = field(default_factory=set)
    outside_volatility: int = 0
    implied: frozenset[str] = frozenset()
    implied_spots: set[date] = field(default_factory=set)
    doubled: dict[date, frozenset[str]] = field(default_factory=dict)

    def forget_implied(self) -> None:
        """Note that every row's spot was stated after all."""
        self.implied, self.implied_spots = frozenset(), set()

    @property
    def without(self) -> tuple[str, ...]:
        """What a regime needs and no row has, in the lake or in what was read."""
        if not self.sessions:
            return ()
        lacking = [] if "open_interest" in self.stated else ["open_interest"]
        return (*lacking, *([] if self.stated & {"iv", "bid", "last"} else ["volatility"]))

    @property
    def unmatched(self) -> dict[str, int]:
        """Rows of chains without a match, by name of the join."""
        return {joined.join.name: joined.unmatched for joined in self.joins}


def refuse_rejects(files: Sequence[InputFile], tally: Tally) -> None:
    """Refuse an ingest that would lose more than half of its rows, or one of its joins."""
    for joined in tally.joins:
        joined.refuse_without_match()
    holidays = 0
    for i, rows in tally.by_file.items():
        if tally.rejected_by_file[i, "not_a_session"] == rows and not tally.outside:
            holidays += rows
    read, rejected = tally.by_file.total() - holidays, tally.rejects.total() - holidays
    if 2 * rejected <= read:
        return
    reasons = ", ".join(f"{k.replace('_', ' ')}: {n}" for k, n in tally.rejects.most_common())
    years = "; its dates lie outside the calendar: state date_format" if tally.outside else ""
    raise InputFileError(
        f"{files[0].label}: {rejected} of {read} rows would be rejected ({reasons}){years}. "
        "Nothing was written: correct the files or the column map (gexlab inspect helps), or say "
        "--allow-rejects to keep the rest"
    )


def files_without_rows(files: Sequence[InputFile], underlying: str, tally: Tally) -> int:
    """Refuse files that hold nothing to read, and columns that cannot be what they were mapped as.

    A file of rejected rows is no error: a holiday's file, say, counts and adds nothing. Returned
    are the files without a row among others that have some.
    """
    rejected = tally.rejects.total()
    if rejected and rejected == tally.rejects["bad_contract"] == tally.by_file.total():
        raise InputFileError(
            f"{files[0].label}: no row names a contract ({rejected} rows): expected dates, numbers "
            "and C or P in the columns for expiry, strike and right; correct the column map, or "
            "choose another vendor"
        )
    empty = [file for i, file in enumerate(files) if not tally.by_file[i]]
    if len(empty) < len(files):
        return len(empty)
    hint = "it has a header and no rows; leave it out"
    if tally.others:
        names = sorted(tally.others)
        more = f" and {len(names) - 20} more" if len(names) > 20 else ""
        hint = (
            f"it holds {', '.join(names[:20])}{more}; name one of them, or say in the map that it "
            f'is the same: [aliases] {underlying} = ["{names[0]}"]'
        )
    elif tally.left_out:
        hint = f"[where] asks for none of its {tally.left_out} rows; correct the map"
    raise InputFileError(f"{empty[0].label} holds no rows of {underlying}: {hint}")
