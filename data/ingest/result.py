"""What an ingest did, in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..lake.naming import is_underlying
from ..vendors.column_names import names_in
from ..vendors.paths import with_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..tables.underlying_settings import Assumed
    from ..vendors.vendor_preset import InputFile, Preset
    from .files import Found
    from .plan import Plan
    from .tally import Tally

__all__ = ["IngestResult", "as_said", "result_of"]


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What an ingest did. Every row that was read was either written or rejected.

    Attributes
    ----------
    rows_read : int
        Rows of the underlying in files that were not in the lake yet.
    rows_written : int
        Rows that entered the lake.
    rows_rejected : int
        Rows that did not.
    rejects : dict of str to int
        Rejected rows by reason, reasons that occurred.
    sessions : int
        Sessions that the written rows belong to.
    files : int
        Files read, members of archives each.
    files_unchanged : int
        Files left out because the lake holds their very content, read the same way.
    files_ignored : int
        Files in folders that are not data by their suffix.
    rows_of_others : int
        Rows of other underlyings in the files.
    rows_replaced : int
        Rows that gave way to a newer file's row of the same contract and snapshot, in the lake or
        within this ingest.
    rows_repeated : int
        Rows that equal another row of their file in everything: one of them is written.
    rows_left_out : int
        Rows that the column map does not ask for (``[where]``).
    spots_implied : int
        Sessions, of those read, with rows whose spot put-call parity implies: no file states it.
    without : tuple of str
        ``open_interest``, ``volatility`` (nor prices to solve it from): what a regime is made of
        and no row has, neither those read nor the lake's of the same sessions.
    volatilities_outside : int
        Rows whose stated volatility lies outside 0.01 ... 10 and counts as unknown.
    files_empty : int
        Files without a row of the underlying, among others that have some.
    others : dict of str to int
        Rows of other underlyings by name, the 20 most frequent.
    ignored : tuple of str
        Names of the files that were ignored, and of members of archives that hold another table.
    unmatched : dict of str to int
        For each join of the map, the rows that its files say nothing about.
    first_rows : tuple of dict
        After a dry run: the first rows as they would enter.
    dry_run : bool
        Nothing was written: the other numbers say what would have been.
    changes : tuple of str
        Facts of the lake's contracts that are not the same in all of its sessions, multiplier and
        lag of the open interest, each with what holds from when on.
    by_underlying : dict of str to IngestResult
        Where several underlyings are asked for: what was done of each. The other numbers are then
        sums (`sessions`: of every underlying its own), files are counted once.
    assumed : dict of str to Assumed
        What a settings file said of each underlying's rows, and where it did.
    settings_unused : tuple of str
        Underlyings that the settings file names and the files do not hold, where several are asked
        for.
    """

    rows_read: int
    rows_written: int
    rows_rejected: int
    rejects: dict[str, int]
    sessions: int
    files: int
    files_unchanged: int
    files_ignored: int
    rows_of_others: int
    rows_replaced: int
    rows_repeated: int = 0
    rows_left_out: int = 0
    spots_implied: int = 0
    without: tuple[str, ...] = ()
    volatilities_outside: int = 0
    files_empty: int = 0
    others: dict[str, int] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    unmatched: dict[str, int] = field(default_factory=dict)
    first_rows: tuple[dict[str, Any], ...] = ()
    dry_run: bool = False
    changes: tuple[str, ...] = ()
    by_underlying: dict[str, IngestResult] = field(default_factory=dict)
    assumed: dict[str, Assumed] = field(default_factory=dict)
    settings_unused: tuple[str, ...] = ()

    @property
    def unusable(self) -> list[str]:
        """Names among `others` that no underlying can have, unless ``[aliases]`` gives another."""
        return [name for name in self.others if not is_underlying(name)]


def as_said(file: InputFile, preset: Preset) -> InputFile:
    """Return a file with what the map says of it."""
    columns = [name for column in preset.columns.values() for name in names_in(column)]
    patterns = list(preset.dialect.path.values())
    return with_path(replace(file, encoding=preset.dialect.encoding), columns, patterns)


def result_of(
    found: Found, plan: Plan, tally: Tally, aside: Sequence[str], *, dry_run: bool
) -> IngestResult:
    read, rejected = tally.by_file.total(), tally.rejects.total()
    return IngestResult(
        rows_read=read,
        rows_written=read - rejected - tally.repeated,
        rows_rejected=rejected,
        rejects=dict(sorted(tally.rejects.items())),
        sessions=len(tally.sessions),
        files=len(plan.fresh),
        files_unchanged=plan.unchanged,
        files_ignored=len(found.ignored),
        rows_of_others=tally.others.total(),
        rows_replaced=tally.replaced,
        rows_repeated=tally.repeated,
        rows_left_out=tally.left_out,
        without=tally.without,
        volatilities_outside=tally.outside_volatility,
        spots_implied=len(tally.implied_spots),
        files_empty=tally.empty,
        others=dict(tally.others.most_common(20)),
        ignored=(*(str(path) for path in found.ignored), *aside),
        unmatched=tally.unmatched,
        first_rows=tally.first_rows,
        dry_run=dry_run,
    )
