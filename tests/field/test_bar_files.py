"""Bars as vendors write them, and clocks that are not the exchange's."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from gexlab.data.base.errors import InputFileError
from gexlab.data.calendar.trading import trading_calendar
from gexlab.data.tables.bars import load_bars
from gexlab.data.tables.intraday_bars import load_intraday

DAYS = ["2024-04-29", "2024-04-30", "2024-05-01"]
CLOSES = [5116.17, 5035.69, 5018.39]

FILES = {
    "yfinance": "Price,Close,High,Low,Open,Volume\nTicker,^SPX,^SPX,^SPX,^SPX,^SPX\nDate,,,,,\n"
    + "".join(f"{d},{c},{c + 9},{c - 9},{c - 1},100\n" for d, c in zip(DAYS, CLOSES, strict=True)),
    "investing": '"Date","Price","Open","High","Low","Vol.","Change %"\n'
    + "".join(
        f'"{d[5:7]}/{d[8:]}/{d[:4]}","{c:,.2f}","{c - 1:,.2f}","{c + 9:,.2f}",'
        f'"{c - 9:,.2f}","1.2M","-1%"\n'
        for d, c in reversed(list(zip(DAYS, CLOSES, strict=True)))
    ),
    "nasdaq": "Date,Close/Last,Volume,Open,High,Low\n"
    + "".join(
        f"{d[5:7]}/{d[8:]}/{d[:4]},${c},--,${c - 1},${c + 9},${c - 9}\n"
        for d, c in zip(DAYS, CLOSES, strict=True)
    ),
    "tradingview": "time,open,high,low,close\n"
    + "".join(
        f"{int(pd.Timestamp(d + ' 09:30', tz='America/New_York').timestamp())},"
        f"{c - 1},{c + 9},{c - 9},{c}\n"
        for d, c in zip(DAYS, CLOSES, strict=True)
    ),
    "stooq": "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
    + "".join(
        f"^SPX,D,{d.replace('-', '')},000000,{c - 1},{c + 9},{c - 9},{c},0,0\n"
        for d, c in zip(DAYS, CLOSES, strict=True)
    ),
    "alphavantage": "timestamp,open,high,low,close,volume\n"
    + "".join(
        f"{d},{c - 1},{c + 9},{c - 9},{c},5\n"
        for d, c in reversed(list(zip(DAYS, CLOSES, strict=True)))
    ),
    # FxPouya/FxMathQuantWebApp downloads/README.md, remade
    "metatrader": "Time,Open,High,Low,Close,Tick_Volume,Spread,Real_Volume\n"
    + "".join(
        f"{d} 00:00:00,{c - 1:.2f},{c + 9:.2f},{c - 9:.2f},{c:.2f},4858,24,0\n"
        for d, c in zip(DAYS, CLOSES, strict=True)
    ),
    # jminck/spx-options-data ansible/roles/spxlogstash/config/logstash-csv.conf, remade
    "spx collector": "Time,Symbol,Price,Open,High,Low,Close,Afterhours\n"
    + "".join(
        f"{d} 16:00:00,SPX,{c},{c - 1},{c + 9},{c - 9},{c},0\n"
        for d, c in zip(DAYS, CLOSES, strict=True)
    ),
    "alpaca": "t,o,h,l,c,v\n"
    + "".join(
        f"{d}T04:00:00Z,{c - 1},{c + 9},{c - 9},{c},5\n" for d, c in zip(DAYS, CLOSES, strict=True)
    ),
}


@pytest.mark.parametrize("vendor", sorted(FILES))
def test_daily_bars(vendor: str, tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(FILES[vendor], encoding="utf-8")
    bars = load_bars(path).frame
    assert [str(day.date()) for day in pd.DatetimeIndex(bars.index)] == DAYS
    assert bars["close"].tolist() == pytest.approx(CLOSES)
    assert bars["open"].tolist() == pytest.approx([c - 1 for c in CLOSES])


def test_several_tickers_of_yfinance(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("Price,Close,Close\nTicker,SPY,QQQ\nDate,,\n2024-01-02,1,2\n", encoding="utf-8")
    with pytest.raises(InputFileError, match="multi_level_index=False"):
        load_bars(path)


def _intraday(path: Path, zone: str, *, shift: int = 0, months: tuple[int, int] = (3, 3)) -> Path:
    """Write half-hour bars of whole sessions by another clock."""
    calendar = trading_calendar()
    first = calendar.sessions.searchsorted(pd.Timestamp(2024, months[0], 1).to_numpy())
    rows = []
    for i in range(first, first + 21 * (months[1] - months[0] + 1)):
        at = pd.Timestamp(calendar.opens[i], tz="UTC")
        while at < pd.Timestamp(calendar.closes[i], tz="UTC"):
            wall = (at + pd.Timedelta(minutes=shift)).tz_convert(zone).tz_localize(None)
            rows.append(f"{wall},10,11,9,10")
            at += pd.Timedelta(minutes=30)
    path.write_text("timestamp,open,high,low,close\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("zone", ["America/Chicago", "UTC", "Etc/GMT+5", "Europe/London"])
def test_another_clock_is_named(zone: str, tmp_path: Path) -> None:
    path = _intraday(tmp_path / "i.csv", zone, months=(2, 4))
    with pytest.raises(InputFileError, match=f'intraday_timezone = "{zone.replace("+", ".")}"'):
        load_intraday(path)
    assert load_intraday(path, timezone=zone).missing == 0


def test_stamps_at_the_end_of_a_bar_are_named(tmp_path: Path) -> None:
    path = _intraday(tmp_path / "i.csv", "America/New_York", shift=30)
    with pytest.raises(InputFileError, match="stamped at their end"):
        load_intraday(path)


def test_the_right_clock_and_parts_of_sessions_are_left_alone(tmp_path: Path) -> None:
    path = _intraday(tmp_path / "i.csv", "America/New_York")
    assert load_intraday(path).missing == 0
    lines = path.read_text(encoding="utf-8").splitlines()
    morning = [line for line in lines if " 09:" in line or " 10:" in line]
    path.write_text("\n".join([lines[0], *morning]) + "\n", encoding="utf-8")
    assert load_intraday(path).outside_hours == 0
