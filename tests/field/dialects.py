"""Ways of writing one chain: days, moments, numbers, words, and the files that hold them.

Drawn from by ``fuzz_dialects.py``. Nothing is imported from gexlab.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
_FULL_WIDTH = str.maketrans("0123456789.,-", "０１２３４５６７８９．，－")
_ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


@dataclass(frozen=True, slots=True)
class Row:
    """One contract of the truth on one session."""

    session: date
    expiry: date
    strike: float
    right: str
    open_interest: float
    iv: float | None
    spot: float


def _epoch(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _words(names: str, form: str) -> Callable[[date], str]:
    months = names.split()
    return lambda d: form.format(d=d.day, m=months[d.month - 1], y=d.year)


_GERMAN = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
_FRENCH = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
_FRENCH_SHORT = "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."
_SPANISH = (
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
)
_ITALIAN = (
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"
)
_PORTUGUESE = (
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro"
)
_PORTUGUESE_SHORT = "jan fev mar abr mai jun jul ago set out nov dez"
_DUTCH = "januari februari maart april mei juni juli augustus september oktober november december"

DATES: dict[str, Callable[[date], str]] = {
    "iso": lambda d: d.isoformat(),
    "iso with midnight": lambda d: f"{d} 00:00:00",
    "utc midnight": lambda d: f"{d}T00:00:00Z",
    "new york midnight": lambda d: (
        datetime(d.year, d.month, d.day, tzinfo=NEW_YORK).astimezone(UTC).isoformat()
    ),
    "midnight of new york, offset": lambda d: datetime(
        d.year, d.month, d.day, tzinfo=NEW_YORK
    ).isoformat(),
    "midnight of Tokyo, offset": lambda d: f"{d}T00:00:00+09:00",
    "compact": lambda d: f"{d:%Y%m%d}",
    "compact, a float": lambda d: f"{d:%Y%m%d}.0",
    "slashes": lambda d: f"{d.year}/{d.month}/{d.day}",
    "american": lambda d: f"{d:%m/%d/%Y}",
    "american short": lambda d: f"{d.month}/{d.day}/{d:%y}",
    "american with midnight": lambda d: f"{d.month}/{d.day}/{d.year} 12:00:00 AM",
    "european": lambda d: f"{d:%d/%m/%Y}",
    "european dashes": lambda d: f"{d:%d-%m-%Y}",
    "european packed": lambda d: f"{d:%d%m%Y}",
    "american packed": lambda d: f"{d:%m%d%Y}",
    "six digits": lambda d: f"{d:%y%m%d}",
    "german": lambda d: f"{d:%d.%m.%Y}",
    "german short": lambda d: f"{d:%d.%m.%y}",
    "named": lambda d: f"{d:%d-%b-%Y}",
    "named upper": lambda d: f"{d:%d%b%y}".upper(),
    "named short": lambda d: f"{d.day}-{d:%b-%y}",
    "spelled": lambda d: f"{d:%B} {d.day}, {d.year}",
    "weekday": lambda d: f"{d:%a %b %d %Y}",
    "weekday, spelled": lambda d: f"{d:%A}, {d:%B} {d.day}, {d.year}",
    "two digits first": lambda d: f"{d:%y-%m-%d}",
    "excel": lambda d: str((d - date(1899, 12, 30)).days),
    "seconds": lambda d: str(_epoch(d)),
    "milliseconds": lambda d: f"{_epoch(d)}000",
    "microseconds": lambda d: f"{_epoch(d)}000000",
    "nanoseconds": lambda d: f"{_epoch(d)}000000000",
    "seconds, a float": lambda d: f"{_epoch(d)}.0",
    "taiwanese": lambda d: f"{d.year - 1911}/{d:%m/%d}",
    "japanese": lambda d: f"{d.year}年{d.month}月{d.day}日",
    "full width": lambda d: d.isoformat().translate(_FULL_WIDTH),
    "German months": _words(_GERMAN, "{d}. {m} {y}"),
    "French months": _words(_FRENCH, "{d} {m} {y}"),
    "French months, short": _words(_FRENCH_SHORT, "{d} {m} {y}"),
    "Spanish months": _words(_SPANISH, "{d} de {m} de {y}"),
    "Italian months": _words(_ITALIAN, "{d} {m} {y}"),
    "Portuguese months": _words(_PORTUGUESE, "{d} de {m} de {y}"),
    "Portuguese months, short": _words(_PORTUGUESE_SHORT, "{d}-{m}-{y}"),
    "Dutch months": _words(_DUTCH, "{d} {m} {y}"),
}


def _at_close(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 16, tzinfo=NEW_YORK)


def _in(zone: str, form: str) -> Callable[[date], str]:
    return lambda day: _at_close(day).astimezone(ZoneInfo(zone)).strftime(form)


def _counted(factor: int) -> Callable[[date], str]:
    return lambda day: str(int(_at_close(day).timestamp()) * factor)


def _serial(day: date) -> str:
    return f"{(day - date(1899, 12, 30)).days}.6666666667"


#: Stamps of the close, and what the map says of their zone.
STAMPS: dict[str, tuple[Callable[[date], str], str]] = {
    "utc": (_in("UTC", "%Y-%m-%dT%H:%M:%SZ"), ""),
    "utc, fractions": (_in("UTC", "%Y-%m-%d %H:%M:%S.000000+00:00"), ""),
    "offset": (lambda day: _at_close(day).isoformat(), ""),
    "letters": (_in("America/New_York", "%Y-%m-%d %H:%M:%S %Z"), ""),
    "Chicago's letters": (_in("America/Chicago", "%Y-%m-%d %H:%M:%S %Z"), ""),
    "vendor's word": (_in("America/New_York", "%Y-%m-%d %H:%M Eastern"), ""),
    "local": (_in("America/New_York", "%Y-%m-%d %H:%M:%S"), ""),
    "local, packed": (_in("America/New_York", "%Y%m%d %H:%M"), ""),
    "local, digits": (_in("America/New_York", "%Y%m%d%H%M%S"), ""),
    "local, american": (_in("America/New_York", "%m/%d/%Y %I:%M:%S %p"), ""),
    "local, european": (_in("America/New_York", "%d/%m/%Y %H:%M"), ""),
    "local, spelled": (_in("America/New_York", "%B %d, %Y at %I:%M %p EST"), ""),
    "Chicago by the map": (_in("America/Chicago", "%Y-%m-%d %H:%M:%S"), "America/Chicago"),
    "Berlin by the map": (_in("Europe/Berlin", "%d.%m.%Y %H:%M"), "Europe/Berlin"),
    "Tokyo by the map": (_in("Asia/Tokyo", "%Y/%m/%d %H:%M:%S"), "Asia/Tokyo"),
    "utc by the map": (_in("UTC", "%Y-%m-%d %H:%M:%S"), "UTC"),
    "seconds": (_counted(1), ""),
    "milliseconds": (_counted(1000), ""),
    "microseconds": (_counted(10**6), ""),
    "nanoseconds": (_counted(10**9), ""),
    "excel": (_serial, ""),
}
CLOCKS = ["16:00", "16:00:00", "4:00 PM", "04:00:00 pm", "160000", "57600000"]


def _american(x: float) -> str:
    return f"{x:,.10g}" if x == int(x) else f"{x:,.4f}".rstrip("0")


def _european(x: float) -> str:
    return _american(x).translate(str.maketrans(",.", ".,"))


def _indian(x: float) -> str:
    whole, _, rest = f"{x:.10g}".partition(".")
    head, tail = whole[:-3], whole[-3:]
    groups = [head[max(i - 2, 0) : i] for i in range(len(head), 0, -2)][::-1]
    return ",".join([*groups, tail]) + (f".{rest}" if rest else "")


NUMBERS: dict[str, Callable[[float], str]] = {
    "plain": lambda x: f"{x:.10g}",
    "fixed": lambda x: f"{x:.4f}",
    "three decimals": lambda x: f"{x:.3f}" if round(x, 3) == x else f"{x:.4f}",
    "american": _american,
    "european": _european,
    "indian": _indian,
    "comma": lambda x: f"{x:.10g}".replace(".", ","),
    "spaces": lambda x: _american(x).replace(",", " "),
    "hard spaces": lambda x: _european(x).replace(".", "\u00a0"),
    "thin spaces": lambda x: _european(x).replace(".", "\u202f"),
    "apostrophes": lambda x: _american(x).replace(",", "'"),
    "scientific": lambda x: f"{x:.8e}",
    "capital exponent": lambda x: f"{x:.8E}",
    "no leading zero": lambda x: f"{x:.10g}".removeprefix("0"),
    "plus signs": lambda x: f"+{x:.10g}",
    "full width": lambda x: f"{x:.10g}".translate(_FULL_WIDTH),
    "arabic digits": lambda x: f"{x:.10g}".translate(_ARABIC),
}
#: How single columns are dressed beyond the numbers of the file.
DRESSES: dict[str, tuple[str, Callable[[str], str]]] = {
    "dollars": ("spot", lambda t: f"${t}"),
    "euros behind": ("spot", lambda t: f"{t} €"),
    "points as currency": ("strike", lambda t: f"USD {t}"),
    "percent signs": ("iv", lambda t: f"{t}%"),
    "percent signs after a space": ("iv", lambda t: f"{t} %"),
}
RIGHTS = [
    ("C", "P"), ("c", "p"), ("call", "put"), ("CALL", "PUT"), ("Call ", "Put "), ("CE", "PE"),
    ("CA", "PA"), ("Calls", "Puts"), ("Kauf", "Verkauf"), ("買權", "賣權"),
]  # fmt: skip
#: Encodings, and whether a file alone shows them.
ENCODINGS = [
    ("utf-8", True), ("utf-8", True), ("utf-8", True), ("utf-8-sig", True), ("utf-16", True),
    ("utf-16-le", False), ("cp1252", False), ("latin-1", False), ("gb18030", False),
    ("cp950", False), ("shift_jis", False), ("mac_roman", False),
]  # fmt: skip
DELIMITERS = [",", ";", "\t", "|"]
CONTAINERS = [
    *("csv",) * 6, "csv.gz", "txt", "csv.bz2", "zip", "csv.zst", "parquet", "parquet", "feather",
    "json", "json", "jsonl", "columns.json", "parquet of text",
]  # fmt: skip
#: What stands in a file beside its rows.
EXTRAS = [
    *("",) * 9, "header again", "footer", "totals", "empty lines", "note column", "repeated column",
    "quoted", "spaces", "others", "negative interest", "strikes in 1/1000", "title line",
    "index column", "trailing delimiter", "missing cells", "quoted delimiters",
]  # fmt: skip


def typed_days(kind: str, days: list[date]) -> Any:
    """Return days as a column of Arrow."""
    import pyarrow as pa

    if kind == "date":
        return pa.array(days, pa.date32())
    if kind == "digits":
        return pa.array([int(f"{d:%Y%m%d}") for d in days], pa.int32())
    if kind == "text":
        return pa.array([d.isoformat() for d in days])
    if kind == "milliseconds":
        return pa.array([_epoch(d) * 1000 for d in days], pa.int64())
    unit, _, zone = kind.partition(" ")
    stamps = [datetime(d.year, d.month, d.day) for d in days]  # noqa: DTZ001 - as columns have it
    if not zone:
        return pa.array(stamps, pa.timestamp(unit))
    moments = [s.replace(tzinfo=ZoneInfo(zone)) for s in stamps]
    return pa.array(moments, pa.timestamp(unit, zone))


TYPED_DAYS = ["date", "digits", "text", "milliseconds", "ns", "us", "s", "ms UTC", "ns UTC",
              "us America/New_York", "us Europe/Berlin", "ns Asia/Tokyo"]  # fmt: skip


def typed_stamps(kind: str, days: list[date]) -> Any:
    """Return moments of the close as a column of Arrow."""
    import pyarrow as pa

    moments = [_at_close(d) for d in days]
    if kind == "local":
        return pa.array([m.replace(tzinfo=None) for m in moments], pa.timestamp("us"))
    if kind == "epoch":
        return pa.array([int(m.timestamp()) * 1000 for m in moments], pa.int64())
    if kind == "epoch, a float":
        return pa.array([m.timestamp() for m in moments], pa.float64())
    unit, _, zone = kind.partition(" ")
    return pa.array(moments, pa.timestamp(unit, zone))


TYPED_STAMPS = ["local", "epoch", "epoch, a float", "us UTC", "ns UTC", "ms America/New_York",
                "us Asia/Tokyo"]  # fmt: skip
_CALENDAR = [date(2024, 1, d) for d in (2, 3, 4, 5, 8, 12, 16, 31)] + [
    date(2024, 3, d) for d in (4, 5, 7, 28)
]
_EXPIRIES = [
    date(2024, 4, 5), date(2024, 4, 19), date(2024, 5, 3), date(2025, 1, 17), date(2024, 12, 6),
    date(2024, 6, 7), date(2024, 8, 9), date(2024, 10, 11), date(2024, 9, 20), date(2024, 11, 15),
    date(2024, 7, 5), date(2026, 2, 6),
]  # fmt: skip
#: Strikes and spot: an index, a cheap share, whole numbers alone.
_LEVELS = {
    "index": ((4700.0, 4750.0, 4812.5), 4780.25), "share": ((12.0, 12.5, 13.0), 12.345),
    "whole": ((4700.0, 4750.0, 4800.0), 4780.0),
}  # fmt: skip
TRUTHS = 48


def truth(draw: Any) -> list[Row]:
    """Return a small chain."""
    days = sorted(draw.sample(_CALENDAR, draw.choice([1, 2, 3])))
    ends = draw.sample(_EXPIRIES, draw.choice([1, 2, 3]))
    level = draw.choice(["index", "index", "share", "whole"])
    strikes, spot = _LEVELS[level]
    return [
        Row(d, e, k, r, float(draw.randrange(1, 40_000)),
            None if level == "whole" else draw.randrange(1100, 3900) / 10_000, spot)
        for d in days for e in ends for k in strikes for r in "CP"
    ]  # fmt: skip


def next_day(day: date) -> date:
    """Return the day after."""
    return day + timedelta(days=1)
