"""What a file seems to be, and that its starting map ingests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from public_layouts import EVERY_FEW_MINUTES, FINMIND, TEXT_MIDNIGHTS, Seen
from run_inspect import seen

from gexlab.data.ingest.ingest import ingest
from gexlab.data.ingest.inspect import inspect
from gexlab.reports.cli import app as cli

ROWS = [
    ("2024-01-12", "2024-01-19", 470, "C", 3010, 0.15, 6.9, 7.1, 476.0),
    ("2024-01-12", "2024-01-19", 470, "P", 1010, 0.15, 0.8, 0.9, 476.0),
    ("2024-01-12", "2024-02-16", 480, "C", 3060, 0.14, 5.9, 6.1, 476.0),
    ("2024-01-12", "2024-02-16", 480, "P", 1060, 0.14, 9.6, 9.9, 476.0),
]


def _written(folder: Path, header: str, rows: list[str]) -> Path:
    path = folder / "chain.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


LAYOUTS = {
    "plain": (
        "date,expiry,strike,cp,oi,iv,bid,ask,spot",
        [",".join(map(str, row)) for row in ROWS],
    ),
    "other names": (
        "QUOTE_DATE;Expiration Date;Strike Price;Call/Put;Open Interest;Impl. Volatility;"
        "Best Bid;Best Offer;Underlying Price",
        [";".join(map(str, row)) for row in ROWS],
    ),
    "symbols": (
        "trade_date,option_symbol,open_interest,implied_volatility,underlying_price",
        [
            f"{d},SPY{e[2:4]}{e[5:7]}{e[8:]}{r}{k * 1000:08d},{oi},{iv},{s}"
            for d, e, k, r, oi, iv, _, _, s in ROWS
        ],
    ),
    "percent": (
        "date,expiry,strike,cp,oi,iv,bid,ask,spot",
        [f"{d},{e},{k},{r},{oi},{iv * 100},{b},{a},{s}" for d, e, k, r, oi, iv, b, a, s in ROWS],
    ),
    "day first": (
        "date,expiry,strike,type,oi,iv,bid,ask,spot",
        [
            f"{d},{e[8:]}/{e[5:7]}/{e[:4]},{k},{'call' if r == 'C' else 'put'},"
            f"{oi},{iv},{b},{a},{s}"
            for d, e, k, r, oi, iv, b, a, s in ROWS
        ],
    ),
}


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_the_starting_map_ingests(layout: str, tmp_path: Path) -> None:
    path = _written(tmp_path, *LAYOUTS[layout])
    found = inspect(path)
    assert found.vendor is None
    assert found.sessions == ("2024-01-12",)
    (tmp_path / "map.toml").write_text(found.map, encoding="utf-8")
    result = ingest(
        [path], vendor="columns", underlying="SPY", lake=tmp_path / "lake",
        mapping=tmp_path / "map.toml", dry_run=True,
    )  # fmt: skip
    assert (result.rows_written, result.rows_rejected) == (4, 0)
    rows = [(r["strike"], r["right"], r["open_interest"], round(r["iv"], 4), r["spot"])
            for r in result.first_rows]  # fmt: skip
    assert sorted(rows) == sorted(
        (float(k), r, float(oi), iv, s) for _, _, k, r, oi, iv, _, _, s in ROWS
    )
    assert not (tmp_path / "lake").exists()


def test_a_preset_is_named(tmp_path: Path) -> None:
    header = (
        "ticker,tradeDate,expirDate,dte,strike,callVolume,callOpenInterest,callBidPrice,"
        "callAskPrice,putVolume,putOpenInterest,putBidPrice,putAskPrice,callMidIv,putMidIv,delta,"
        "gamma,spotPrice"
    )
    path = _written(
        tmp_path, header, ["IWM,2024-02-12,2024-02-23,11,198,1,2,3,4,1,2,3,4,.2,.2,.5,.02,201"]
    )
    assert inspect(path).vendor == "orats"


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _written(tmp_path, *LAYOUTS["percent"])
    out = tmp_path / "map.toml"
    assert cli.run(["inspect", str(path), "--map-out", str(out), "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document["map"] == out.read_text(encoding="utf-8")
    assert set(document) >= {"vendor", "columns", "sessions", "underlyings", "map"}
    [iv] = [c for c in document["columns"] if c["name"] == "iv"]
    assert iv["meaning"] == "iv"
    assert "[scale] iv = 0.01" in iv["warning"]
    assert cli.run(["inspect", str(path)]) == 0
    assert "none fits" in capsys.readouterr().out


def test_roots_of_an_index_are_roots(tmp_path: Path) -> None:
    """A weekly and a monthly of one day are two contracts, which only their roots tell apart."""
    rows = [
        f"2024-02-12,2024-02-16,5000,C,{oi},.12,5021,{root}"
        for oi, root in ((3, "SPX"), (3, "SPXW"))
    ]
    path = _written(tmp_path, "date,expiry,strike,cp,oi,iv,spot,symbol", rows)
    found = inspect(path)
    assert found.underlyings == ("SPX",)
    (tmp_path / "map.toml").write_text(found.map, encoding="utf-8")
    result = ingest(
        [path], vendor="columns", underlying="SPX", lake=tmp_path / "lake",
        mapping=tmp_path / "map.toml", dry_run=True,
    )  # fmt: skip
    told = [(r["root"], r["settlement"]) for r in result.first_rows]
    assert sorted(told) == [("SPX", "AM"), ("SPXW", "PM")]


def test_a_shipped_map_says_which_column_is_the_contracts_symbol(tmp_path: Path) -> None:
    """The map takes root, expiry, strike and right out of it: it is all four, and none of them."""
    names = "updated,optionSymbol,openInterest,volume,bid,ask,iv,underlyingPrice"
    path = _written(tmp_path, names, ["1705093200,SPY240119C00470000,3,5,6.9,7.1,0.15,476.0"])
    meanings = {c.name: c.meaning for c in inspect(path).columns}
    told = ("quote_ts", "symbol", "open_interest", "volume", "bid", "ask", "iv", "spot")
    assert meanings == dict(zip(names.split(","), told, strict=True))


def test_a_contract_of_a_coin_is_not_a_hundred_coins(tmp_path: Path) -> None:
    """A layout that no map knows, with the names that the exchange gives to its contracts."""
    rows = [f"2024-01-12,BTC-26JAN24-44000-{right},30,0.6,43000" for right in "CP"]
    path = _written(tmp_path, "date,contract_name,oi,iv,spot", rows)
    (tmp_path / "map.toml").write_text(inspect(path).map, encoding="utf-8")
    result = ingest(
        [path], vendor="columns", underlying="BTC", lake=tmp_path / "lake",
        mapping=tmp_path / "map.toml", dry_run=True,
    )  # fmt: skip
    assert {row["multiplier"] for row in result.first_rows} == {1.0}


def test_files_of_joins_that_are_not_there_are_commented_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    header = "root,expiration,strike,right,ms_of_day,volume,bid,ask,date"
    path = _written(tmp_path, header, ["SPY,20240119,470000,C,57600000,3,6.9,7.1,20240112"])
    lines = inspect(path).map.splitlines()
    assert "# [join.spot]" in lines
    assert any(line.startswith('spot = "parity"') for line in lines)
    (tmp_path / "closes.csv").write_text("date,close\n2024-01-12,476\n", encoding="utf-8")
    lines = inspect(path).map.splitlines()
    assert "[join.spot]" in lines
    assert "# [join.open_interest]" in lines


@pytest.mark.parametrize("seen", [EVERY_FEW_MINUTES, FINMIND, TEXT_MIDNIGHTS],
                         ids=lambda seen: seen.instance.name)  # fmt: skip
def test_public_layouts_get_in_by_their_starting_map(seen: Seen, tmp_path: Path) -> None:
    [(name, body)] = [(n, b) for n, b in seen.instance.files.items() if n.startswith("in/")]
    path = tmp_path / Path(name).name
    path.write_bytes(body if isinstance(body, bytes) else body.encode())
    found = inspect(path)
    wanted = {"expiry", "strike", "right", "open_interest"}
    assert {column.meaning for column in found.columns} >= wanted
    assert found.sessions == tuple(sorted({str(row[0])[:10] for row in seen.instance.rows}))


def test_the_encoding_is_the_one_in_which_a_known_file_has_its_names(tmp_path: Path) -> None:
    """What Taiwan's exchange writes in cp950 can be read in GB 18030 too, as other signs."""
    path = tmp_path / "daily.csv"
    names = "交易日期,契約,到期月份(週別),履約價,買賣權,結算價,成交量,未沖銷契約數,交易時段"
    rows = [f"2024/01/12,TXO,202401,17500,{right},100,5,120,一般" for right in ("買權", "賣權")]
    path.write_bytes("\n".join([names, *rows, ""]).encode("cp950"))
    assert path.read_text(encoding="gb18030").split(",")[1] != "契約"
    found = inspect(path)
    assert [c.name for c in found.columns] == names.split(",")
    assert "--map taifex_daily" in found.map.splitlines()[0]


@pytest.mark.slow
def test_nine_tenths_of_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All are named rightly; the maps of those that hold a spot or prices ingest as they are."""
    monkeypatch.chdir(tmp_path)
    found = list(seen(tmp_path))
    assert [name for name, named, *_ in found if not named] == []
    assert sum(why is None for _, _, why, _ in found) >= 0.9 * len(found)
