"""What each night said before it knew, frozen, and what came of it.

A night adds one file to the folder ``record``: its forecasts, the scores that earlier forecasts
have by now, and the digest of the file before. No file is ever written twice, so that a replay or
a revision of data adds rows and changes none; a file that was changed, or is gone, breaks the
chain of digests, which every night checks. The digest of the last file stands beside them.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from ...data import published_file
from ..terminal.output import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

__all__ = [
    "Entry",
    "Forecast",
    "Record",
    "Score",
    "appended",
    "forecast_digest",
    "read_record",
    "scores_of",
]

FOLDER: Final = "record"
#: Number and digest of the last file.
LAST_FILE: Final = "last.json"


@dataclass(frozen=True, slots=True)
class Forecast:
    """One thing that a night said of the time after it.

    Attributes
    ----------
    kind : {"regime", "volatility", "direction", "target"}
    name : str
        The strategy of a direction or target; of the volatility, its estimator.
    value : str, float or None
        Label; volatility a year, decimal; direction -1, 0, 1; share of equity. None: it abstained.
    fill : str
        Of a target.
    fill_at, valid_until : str
        Of a target: from when until when it holds, UTC.
    """

    kind: str
    name: str
    value: str | float | None
    fill: str = ""
    fill_at: str = ""
    valid_until: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """What came of a forecast.

    Attributes
    ----------
    of : int
        Number of the entry that made it.
    kind, name : str
        As of the forecast.
    forecast : str, float or None
    realised : str, float or None
        The label that the session has by today's data; volatility of the session after; the
        direction's and target's return from fill to fill.
    hit : bool or None
        Same label; the sign of the return as said. None where that is no question.
    pnl : float or None
        Of a target: times the return, before costs.
    """

    of: int
    kind: str
    name: str
    forecast: str | float | None
    realised: str | float | None
    hit: bool | None = None
    pnl: float | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What one night added.

    Attributes
    ----------
    number : int
        From 1 on.
    session : str
        YYYY-MM-DD.
    content_id, definition_id : str
    forecasts : tuple of Forecast
    scores : tuple of Score
        Those that differ from what the record had: new ones, and others after a revision.
    previous : str
        SHA-256 of the file before; empty for the first.
    late : bool
        The night began after what it forecasts had begun, or after the night of a later session: it
        is kept and counts for nothing.
    """

    number: int
    session: str
    content_id: str
    definition_id: str
    forecasts: tuple[Forecast, ...]
    scores: tuple[Score, ...]
    previous: str
    late: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """All entries in order.

    Attributes
    ----------
    entries : tuple of Entry
        Those that can be read.
    number : int
        Of the last file, whether or not it can be read.
    last : str
        SHA-256 of the last file; empty where there is none.
    broken : str
        Why the chain of digests does not hold; empty where it does.
    """

    entries: tuple[Entry, ...] = ()
    number: int = 0
    last: str = ""
    broken: str = ""

    def has(self, session: str, content_id: str) -> bool:
        """Return whether a night with this content is in it."""
        return any(e.session == session and e.content_id == content_id for e in self.entries)

    def before(self, session: str) -> tuple[Entry, ...]:
        """Return the first entry of each earlier session: what was said when it was news."""
        first: dict[str, Entry] = {}
        for entry in self.entries:
            if entry.session < session:
                first.setdefault(entry.session, entry)
        return tuple(first[day] for day in sorted(first))

    def scores(self) -> dict[tuple[int, str, str], Score]:
        """Return the latest score of each forecast."""
        return {(s.of, s.kind, s.name): s for entry in self.entries for s in entry.scores}


def read_record(out: Path) -> Record:
    """Return the record of a folder of nights."""
    entries, number, last, broken = [], 0, "", ""
    digests: dict[int, str] = {}
    for path in sorted((out / FOLDER).glob("[0-9]*.json")):
        previous, followed = last, number + 1
        number = _number(path)
        try:
            raw = path.read_bytes()
            digests[number] = last = hashlib.sha256(raw).hexdigest()
            entry = _entry(json.loads(raw))
        except (OSError, ValueError, KeyError, TypeError):
            broken = broken or f"{path.name} cannot be read"
            continue
        if (entry.number, entry.previous) != (followed, previous) or number != followed:
            broken = broken or f"{path.name} does not follow the file before it"
        entries.append(entry)
    return Record(tuple(entries), number, last, broken or _last_missing(out, digests))


def _number(path: Path) -> int:
    digits = path.name.partition("-")[0]
    return int(digits) if digits.isdigit() else 0


def _last_missing(out: Path, digests: dict[int, str]) -> str:
    """Return that the last file is gone or was changed, which no later one shows; empty if not."""
    path = out / FOLDER / LAST_FILE
    if not path.is_file():  # a first night that was killed just then has one file and no word of it
        return f"{LAST_FILE} is gone" if len(digests) > 1 else ""
    try:
        told = json.loads(path.read_bytes())
        number, digest = int(told["number"]), str(told["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return f"{LAST_FILE} cannot be read"
    if digests.get(number) == digest:  # files after it: a night that was killed just then
        return ""
    what = "is not what was written" if number in digests else "is gone"
    return f"file {number:06d} {what}"


def _entry(document: dict[str, Any]) -> Entry:
    made = {
        "forecasts": tuple(Forecast(**f) for f in document["forecasts"]),
        "scores": tuple(Score(**s) for s in document["scores"]),
    }
    return Entry(**{**document, **made})


def appended(
    out: Path,
    record: Record,
    session: str,
    content_id: str,
    definition_id: str,
    forecasts: Sequence[Forecast],
    scores: Sequence[Score],
    *,
    late: bool = False,
) -> bool:
    """Add a night to the record, unless it is there and nothing is scored anew.

    The file's number follows the last one there is, read or not: none is ever written over.

    Returns
    -------
    bool
        Whether a file was added.
    """
    known = record.scores()
    new = tuple(s for s in scores if known.get((s.of, s.kind, s.name)) != s)
    told = () if record.has(session, content_id) else tuple(forecasts)
    if not new and not told:
        return False
    if record.number and not record.broken and not (out / FOLDER / LAST_FILE).is_file():
        # a first night was killed before it noted its file: killed again, it would look deleted
        _note_last(out, record.number, record.last)
    number = record.number + 1
    late = late or any(e.session > session for e in record.entries)
    entry = Entry(number, session, content_id, definition_id, told, new, record.last, late)
    text = json.dumps(plain(asdict(entry)), indent=1) + "\n"
    with published_file(out / FOLDER / f"{number:06d}-{session}.json") as draft:
        draft.write_text(text, encoding="utf-8", newline="\n")
    if not record.broken:  # else what is noted there stays the evidence
        _note_last(out, number, hashlib.sha256(text.encode()).hexdigest())
    return True


def _note_last(out: Path, number: int, digest: str) -> None:
    noted = json.dumps({"number": number, "sha256": digest}) + "\n"
    with published_file(out / FOLDER / LAST_FILE) as draft:
        draft.write_text(noted, encoding="utf-8")


def forecast_digest(entries: Sequence[Entry]) -> str:
    """Return a digest of what earlier nights said: reports show it, and depend on it."""
    told = [(e.session, e.late, [asdict(f) for f in e.forecasts]) for e in entries]
    return hashlib.sha256(json.dumps(plain(told)).encode()).hexdigest()


def scores_of(
    entries: Sequence[Entry], regimes: pd.Series[str], bars: pd.DataFrame, year: int
) -> list[Score]:
    """Return what came of forecasts, as far as the data say by now.

    Parameters
    ----------
    entries : sequence of Entry
    regimes : Series
        Labels by session.
    bars : DataFrame
        ``open, high, low, close`` by session; every session of the calendar has a row, NaN where
        its bar is missing.
    year : int
        Sessions of a year.
    """
    found = []
    for entry in entries:
        place = _place(bars, entry.session)
        for forecast in entry.forecasts:
            score = _score(entry.number, forecast, entry.session, place, regimes, bars, year)
            if score is not None:
                found.append(score)
    return found


def _place(bars: pd.DataFrame, session: str) -> int:
    """Return the row of a session; -1 where there is none."""
    import pandas as pd

    return int(bars.index.get_indexer(pd.DatetimeIndex([session]))[0])


def _score(
    number: int,
    forecast: Forecast,
    session: str,
    place: int,
    regimes: pd.Series[str],
    bars: pd.DataFrame,
    year: int,
) -> Score | None:
    """Return the score of a forecast; None where it cannot be told yet."""
    import pandas as pd

    kind, name, value = forecast.kind, forecast.name, forecast.value
    if kind == "regime":
        day = pd.Timestamp(session)
        if day not in regimes.index:
            return None
        now = str(regimes.loc[day])
        return Score(number, kind, name, value, now, hit=now == value)
    if place < 0 or place + 1 >= len(bars):
        return None
    if kind == "volatility":
        high, low = (float(bars[c].iloc[place + 1]) for c in ("high", "low"))
        realised = math.sqrt(math.log(high / low) ** 2 / (4.0 * math.log(2.0)) * year)
        return None if math.isnan(realised) else Score(number, kind, name, value, realised)
    price = "open" if forecast.fill == "next_open" else "close"
    if forecast.fill not in ("next_open", "next_close") or place + 2 >= len(bars):
        return None
    if not isinstance(value, (int, float)):
        return None
    entry, leave = (float(bars[price].iloc[place + k]) for k in (1, 2))
    earned = leave / entry - 1.0
    if math.isnan(earned):
        return None
    hit = None if value == 0.0 or earned == 0.0 else (value > 0.0) == (earned > 0.0)
    pnl = value * earned if kind == "target" else None
    return Score(number, kind, name, value, earned, hit, pnl)
