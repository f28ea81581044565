"""What a contract delivers where no file says so: 100 of a standard root, else unknown."""

from __future__ import annotations

import pyarrow as pa
import pytest

from gexlab.data.ingest.contract_roots import deliverable, roots_of


def _multipliers(symbol: str, underlying: str, **columns: float) -> list[float | None]:
    table = pa.table({"root": [symbol], **{k: [v] for k, v in columns.items()}})
    found: list[float | None] = deliverable(table, roots_of(table, underlying))[
        "multiplier"
    ].to_pylist()
    return found


@pytest.mark.parametrize(
    ("symbol", "underlying"),
    [
        ("BTC-26JAN24-44000-C", "BTC"),
        ("ETH-240126-2500-P", "ETH"),
        ("SOL_USDC-26JAN24-100-C", "SOL_USDC"),
        ("XRP_USDC-26JAN24-0D55-C", "XRP_USDC"),
        ("btc-5jan24-44000-c", "BTC"),
        ("BTC-USD", "BTC-USD"),
        ("BTC_USDC", "BTC_USDC"),
    ],
)
def test_a_contract_of_a_coin_has_no_multiplier_unless_stated(symbol: str, underlying: str) -> None:
    assert _multipliers(symbol, underlying) == [None]
    assert _multipliers(symbol, underlying, multiplier=0.1) == [0.1]


@pytest.mark.parametrize(
    ("symbol", "underlying", "delivers"),
    [
        ("BTC   260116C00045000", "BTC", 100.0),  # the fund, on US exchanges
        ("O:ETH260116C00030000", "ETH", 100.0),
        ("BRK.B", "BRK.B", 100.0),
        ("BRK/B", "BRK.B", 100.0),
        ("SPXW240119C04750000", "SPX", 100.0),
        ("SPY7", "SPY", 10.0),
        ("SPY1", "SPY", None),
    ],
)
def test_what_roots_of_us_markets_deliver_stays(
    symbol: str, underlying: str, delivers: float | None
) -> None:
    assert _multipliers(symbol, underlying) == [delivers]
