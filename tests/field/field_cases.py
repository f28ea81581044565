"""Small inputs from the field, each with the command that reads it and the right answer.

The inputs lie in ``../shared/cases``; the answers were computed there, independently of gexlab.
"""

from __future__ import annotations

import math
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from gexlab.data.base.errors import GexlabError
from gexlab.data.ingest.ingest import IngestResult, ingest
from gexlab.data.lake.lake import open_lake
from gexlab.data.regimes.rebuild import rebuild
from gexlab.data.regimes.table import regimes
from gexlab.data.tables.bars import load_bars
from gexlab.data.tables.intraday_bars import load_intraday

Figures = dict[tuple[str, str], tuple[float, float, int]]


@dataclass(frozen=True)
class Case:
    """One case: how it is read, and what must come of it.

    Attributes
    ----------
    name : str
        Folder.
    underlying, vendor, instrument : str
    paths : tuple of str
        What is ingested, call by call.
    maps : tuple of str or None
        Map of each call.
    written : int or None
        Rows in the lake.
    sessions : tuple of str
    figures : dict
        (session, book) to net GEX, gross GEX and contracts used; NaN where not stated.
    extra_map : str
        Appended to the map: what the README's command lacks.
    files : dict
        Files that the case speaks of and does not hold.
    abstains : dict
        Session to the reason for which both of its books have no label.
    refused : str or None
        What the refusal must say, a pattern.
    """

    name: str
    underlying: str
    vendor: str = "columns"
    instrument: str = "etf"
    paths: tuple[str, ...] = ("in",)
    maps: tuple[str | None, ...] = ("map.toml",)
    written: int | None = None
    sessions: tuple[str, ...] = ()
    figures: Figures = field(default_factory=dict)
    extra_map: str = ""
    files: dict[str, str] = field(default_factory=dict)
    tolerance: float = 1e-7
    abstains: dict[str, str] = field(default_factory=dict)
    refused: str | None = None


CLOSE, LATER = "as_of_close", "post_expiry"

CASES = [
    Case("01-two-cboe-tables", "SPX", "cboe_quote_table", maps=(None,), written=16,
         sessions=("2024-03-12", "2024-03-13")),
    Case("02-columns-in-another-order", "SPY", written=12, sessions=("2024-01-03", "2024-01-04")),
    Case("03-csv-beside-parquet", "SPY", written=12, sessions=("2024-01-03", "2024-01-04")),
    Case("04-american-dates-with-two-digit-years", "SPY", written=504,
         figures={("2024-01-16", CLOSE): (90646042.50, 185752825.99, 24)}),
    Case("05-dates-as-utc-midnights-in-parquet", "SPY", written=60,
         sessions=("2024-01-08", "2024-01-09", "2024-01-10", "2024-01-11", "2024-01-12")),
    Case("06-day-first-expiries", "SPY", written=30,
         figures={("2024-01-03", CLOSE): (157145044.89, 321011178.22, 30)}),
    Case("07-etf-monthlies-taken-for-am", "SPY", "orats", maps=(None,),
         figures={("2024-02-15", CLOSE): (122852397.99, 252294397.94, 18),
                  ("2024-02-15", LATER): (167206170.34, 342094259.09, 18)}),
    Case("08-whole-symbols-as-root", "SPX", instrument="index",
         figures={("2024-01-18", CLOSE): (1736306342.61, 3618738889.70, 8),
                  ("2024-01-18", LATER): (699104203.51, 1455956638.94, 4)}),
    Case("09-mini-options", "AAPL", "historicaloptiondata", "share", maps=(None,),
         figures={("2014-01-06", CLOSE): (701288.40, 86474931.43, 12)}),
    Case("10-one-minute-file", "IWM", "orats", maps=(None,),
         figures={("2024-02-12", CLOSE): (12525782.34, 26306212.38, 6)}),
    Case("11-open-interest-in-a-file-of-its-own", "SPY", paths=("quotes.csv", "oi.csv"),
         maps=("quotes.toml", "oi.toml"), written=6,
         figures={("2024-02-12", CLOSE): (38129392.21, 78879897.26, 6)}),
    Case("12-open-interest-of-an-int32", "SPY", written=6,
         figures={("2024-02-12", CLOSE): (14921018.00, 55671523.06, 5)}),
    Case("13-volatility-in-percent", "SPY", written=36,
         abstains={"2024-02-12": "unit_contradicted"}),
    Case("14-weeklies-left-out-in-silence", "SPX", instrument="index", written=24,
         figures={("2024-02-12", CLOSE): (2944342791.79, 6001160304.05, 24)}),
    Case("15-epochs-in-csv", "BTC", instrument="index", written=6, sessions=("2023-06-01",),
         figures={("2023-06-01", CLOSE): (0.0, 137921.38, 6)}),
    Case("16-contract-only-as-a-symbol", "SPY", written=6,
         figures={("2024-01-10", CLOSE): (45182174.74, 92059893.84, 6)}),
    Case("17-hive-folders", "SPY", written=12, sessions=("2024-01-10", "2024-01-11")),
    Case("18-nested-json", "SPY", written=6, tolerance=1e-4,
         figures={("2024-01-10", CLOSE): (45180660.53, 92056805.99, 6)}),
    Case("19-the-vendors-own-zip", "SPY", "historicaloptiondata", maps=(None,), written=6,
         figures={("2024-01-10", CLOSE): (45182174.74, 92059893.84, 6)}),
    Case("20-a-day-without-rows", "SPY", written=6, sessions=("2024-01-12",)),
    Case("21-two-kinds-of-line-ends", "SPY", written=6),
    Case("22-cboe-table-of-june-2022", "SPX", "cboe_quote_table", maps=(None,),
         instrument="index", written=6, sessions=("2022-06-10",), tolerance=0.05,
         figures={("2022-06-10", CLOSE): (math.nan, 266118874.0, 6)}),
    Case("25-half-day-without-1545", "SPY", written=12, sessions=("2023-11-22", "2023-11-24")),
    Case("26-every-row-twice", "SPY", written=6,
         figures={("2024-02-12", CLOSE): (38129392.21, 78879897.26, 6)}),
    Case("27-header-in-the-middle", "SPY", written=12),
    Case("28-two-json-files", "SPY", written=12, sessions=("2024-01-03", "2024-01-04")),
    Case("29-suffixes", "SPY", written=12, sessions=("2024-01-11", "2024-01-12")),
    Case("30-nse-before-july-2024", "NIFTY", instrument="index", written=6,
         sessions=("2024-01-01",), files={"close.csv": "Date,Close\n01-01-2024,21741.90\n"},
         extra_map='[join.spot]\nfiles = "close.csv"\n'
                   'columns = { session = "Date", spot = "Close" }\n'
                   'date_format = "%d-%m-%Y"\n[where]\nINSTRUMENT = "OPTIDX"\n'),
    Case("31-am-as-one-and-zero", "SPX", instrument="index",
         figures={("2019-03-14", CLOSE): (760086727.54, 1588582647.59, 8),
                  ("2019-03-14", LATER): (443544093.05, 927007154.47, 4)}),
    Case("32-the-index-under-another-name", "SPX", instrument="index", written=8),
    Case("33-databento-three-files", "SPY", written=6, sessions=("2024-01-10",), extra_map="""
[join.open_interest]
files = "stat"
columns = { session = "ts_event", open_interest = "quantity" }
keys = ["session", "instrument_id"]
where = { stat_type = 9 }
timing = { oi_lag_sessions = 1, known_at = "06:30" }
[join.quotes]
files = "quotes"
columns = { quote_ts = "ts_event", bid = "bid_px_00", ask = "ask_px_00" }
keys = ["session", "instrument_id"]
"""),
    Case("34-a-session-on-a-saturday", "NIFTY", "nse_bhavcopy", "index", maps=(None,), written=6,
         sessions=("2025-02-01",)),
    Case("35-all-rows-rejected", "SPY",
         refused=r"2012-01-24 .day first. or as 2024-01-12 .year first"),
    Case("36-taifex-daily-file", "TXO", instrument="index", written=36,
         sessions=("2024-01-10", "2024-01-11"),
         figures={("2024-01-10", CLOSE): (-361476759.75, 6519115753.91, 12),
                  ("2024-01-11", CLOSE): (268593992.24, 11458211881.89, 18)},
         extra_map='encoding = "cp950"\n[join.spot]\nfiles = "spot.csv"\n'
                   'columns = { session = "date", spot = "close" }\n'
                   '[where]\n"交易時段" = "一般"\n'),
    Case("37-an-evening-copy-under-the-next-date", "SPY", written=144,
         abstains={"2024-01-11": "copy_of_previous_session"}),
]  # fmt: skip

#: Cases of bars: what is read, and what the refusal must say; None where it must be read.
BARS: dict[str, str | None] = {
    "23-bars-of-yfinance": None,
    "24-intraday-bars-an-hour-off": 'intraday_timezone = "America/Chicago"',
}


def run(case: Case, shared: Path, folder: Path) -> IngestResult:
    """Ingest a case in a copy of its folder, call by call; the lake lies beside it."""
    here = folder / case.name
    shutil.copytree(shared / "cases" / case.name, here)
    for name, text in case.files.items():
        (here / name).write_text(text, encoding="utf-8")
    result: Any = None
    for path, toml in zip(case.paths, case.maps, strict=True):
        mapping = None if toml is None else here / toml
        if mapping is not None and case.extra_map:
            words = case.extra_map.partition("[")[0]
            rest = case.extra_map[len(words) :]
            mapping.chmod(0o644)
            mapping.write_text(f"{words}{mapping.read_text('utf-8')}\n{rest}", encoding="utf-8")
        result = ingest(
            [here / path], vendor=case.vendor, underlying=case.underlying,
            lake=folder / "lake", mapping=mapping,
        )  # fmt: skip
    assert isinstance(result, IngestResult)
    return result


def said_of_bars(name: str, shared: Path) -> list[str]:
    """Return in what the reading of a case's bars differs from the right answer."""
    folder, refusal = shared / "cases" / name, BARS[name]
    if refusal is not None:
        try:
            load_intraday(folder / "i.csv")
        except GexlabError as error:
            return [] if refusal in str(error) else [f"refused otherwise: {error}"]
        return ["not refused"]
    lines = (folder / "bars.csv").read_text(encoding="utf-8").splitlines()[3:]
    wanted = {line.split(",")[0]: float(line.split(",")[1]) for line in lines}
    frame = load_bars(folder / "bars.csv").frame
    found = dict(
        zip(pd.DatetimeIndex(frame.index).strftime("%Y-%m-%d"), frame["close"], strict=True)
    )
    return [] if found == wanted and len(found) == 83 else ["other closes"]


def outcome(case: Case, shared: Path, folder: Path) -> list[str]:
    """Run a case and return in what it differs from the right answer."""
    try:
        run(case, shared, folder)
    except GexlabError as error:
        expected = case.refused is not None and re.search(case.refused, str(error))
        return [] if expected else [f"refused: {error}"]
    return complaints(case, folder) if case.refused is None else ["not refused"]


def complaints(case: Case, folder: Path) -> list[str]:
    """Return in what the lake of a case that was run differs from the right answer."""
    lake = open_lake(folder / "lake")
    entries = lake.sessions(case.underlying)
    said = []
    rows = sum(entry.rows for entry in entries)
    if case.written is not None and rows != case.written:
        said.append(f"{rows} rows, right are {case.written}")
    days = tuple(entry.session.isoformat() for entry in entries)
    if case.sessions and days != case.sessions:
        said.append(f"sessions {days}, right are {case.sessions}")
    if not case.figures and not case.abstains:
        return said
    rebuild(lake, case.underlying, instrument=case.instrument, side_tables=False)
    table = regimes(lake, case.underlying).to_dict("records")
    for day, reason in case.abstains.items():
        rows_of_day = [r for r in table if str(r["session"])[:10] == day]
        held = [r for r in rows_of_day if r["regime"] == "abstain" and reason in r["quality"]]
        if not rows_of_day or held != rows_of_day:
            said.append(f"{day} does not abstain for {reason}")
    for (day, book), right in case.figures.items():
        [row] = [r for r in table if str(r["session"])[:10] == day and r["book"] == book]
        found = (row["net_gex"], row["gross_gex"], row["contracts_used"])
        for name, got, wanted in zip(("net", "gross", "contracts"), found, right, strict=True):
            scale = max(abs(right[1]), 1.0)
            if not math.isnan(wanted) and not abs(got - wanted) <= case.tolerance * scale:
                said.append(f"{day} {book} {name} {got}, right is {wanted}")
    return said
