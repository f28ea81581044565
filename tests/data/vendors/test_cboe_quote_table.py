"""Cboe's quote table: a made one read by hand, and real ones against tables computed elsewhere."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest
from arrivals import arrived, day, lines, pick, utc
from made_files import CBOE_QUOTE_TABLE

from gexlab.data.base.errors import InputFileError
from gexlab.data.exposure.definition import Definition
from gexlab.data.ingest.ingest import ingest
from gexlab.data.regimes.rebuild import rebuild
from gexlab.data.regimes.table import regimes


def test_made_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "quotedata.csv"
    file.write_text(CBOE_QUOTE_TABLE)
    found = arrived(tmp_path / "lake", "cboe_quote_table", "SPX", file)
    assert (found.result.rows_read, found.result.rows_written) == (6, 6)

    morning = found.row(root="SPX", right="C")
    assert pick(morning, "session", "expiry", "settlement", "strike") == (
        day("2022-11-25"), day("2022-12-16"), "AM", 4000.0,
    )  # fmt: skip
    assert morning["quote_ts"] == utc(2022, 11, 25, 18)
    assert morning["known_at"] == utc(2022, 11, 25, 20, 30)
    assert morning["expiry_ts"] == utc(2022, 12, 16, 14, 30)
    assert morning["oi_asof"] == day("2022-11-23")
    assert pick(
        morning, "open_interest", "volume", "bid", "ask", "last", "iv", "delta", "gamma"
    ) == (700, 12, 80, 81, 80.5, 0.19, 0.58, 0.0021)
    assert pick(morning, "spot", "multiplier", "underlying") == (4026.12, 100, "SPX")

    half_point = found.row(root="SPXW", right="P", expiry=day("2022-12-16"))
    assert pick(half_point, "strike", "settlement", "expiry_ts") == (
        4002.5, "PM", utc(2022, 12, 16, 21),
    )  # fmt: skip
    # an empty open interest is unknown, a last sale of 0 is none
    assert pick(half_point, "open_interest", "oi_asof", "last", "bid") == (None, None, None, 45.0)

    over = found.row(expiry=day("2022-11-25"), right="P")
    assert pick(over, "expiry_ts", "iv", "bid", "open_interest") == (
        utc(2022, 11, 25, 18), None, 0.0, 2500.0,
    )  # fmt: skip


def test_a_table_of_the_session_carries_its_own_moment(tmp_path: Path) -> None:
    file = tmp_path / "quotedata.csv"
    file.write_text(
        CBOE_QUOTE_TABLE.replace("November 25, 2022 at 3:30 PM", "November 28, 2022 at 10:05 AM")
    )
    found = arrived(tmp_path / "lake", "cboe_quote_table", "SPX", file)
    assert {r["session"] for r in found.rows} == {day("2022-11-28")}
    assert {r["quote_ts"] for r in found.rows} == {utc(2022, 11, 28, 15, 5)}


def test_a_table_printed_before_the_open_is_of_the_session_before(tmp_path: Path) -> None:
    file = tmp_path / "quotedata.csv"
    file.write_text(
        CBOE_QUOTE_TABLE.replace("November 25, 2022 at 3:30 PM", "November 28, 2022 at 8:05 AM")
    )
    found = arrived(tmp_path / "lake", "cboe_quote_table", "SPX", file)
    assert {r["session"] for r in found.rows} == {day("2022-11-25")}
    assert {r["quote_ts"] for r in found.rows} == {utc(2022, 11, 25, 18)}
    assert {r["known_at"] for r in found.rows} == {utc(2022, 11, 28, 13, 5)}


def test_losing_a_side_moves_no_other_contract(tmp_path: Path) -> None:
    lines = CBOE_QUOTE_TABLE.splitlines()
    whole, part = tmp_path / "whole.csv", tmp_path / "part.csv"
    whole.write_text(CBOE_QUOTE_TABLE)
    part.write_text("\n".join(lines[:3] + lines[4:]) + "\n")
    rows = arrived(tmp_path / "a", "cboe_quote_table", "SPX", whole).rows
    fewer = arrived(tmp_path / "b", "cboe_quote_table", "SPX", part).rows
    kept = [{**r, "source": ""} for r in rows if r["expiry"] != day("2022-11-25")]
    assert [{**r, "source": ""} for r in fewer] == kept


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "expected Cboe's quote table"),
        (CBOE_QUOTE_TABLE.replace("Last:", "Price:"), "expected the underlying's price"),
        (CBOE_QUOTE_TABLE.replace("Date:", "Day:"), "expected the moment of printing"),
        (CBOE_QUOTE_TABLE.replace("November 25", "Nonember 95"), "expected the moment of printing"),
        (CBOE_QUOTE_TABLE.replace("Open Interest,Strike", "OI,Strike"), "expected the columns"),
        (CBOE_QUOTE_TABLE.replace(",1500,", ",many,"), "'many' where a number"),
        (CBOE_QUOTE_TABLE.replace(",2500\n", "\n"), "line"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "quotedata.csv"
    file.write_text(text)
    with pytest.raises(InputFileError, match=message) as caught:
        ingest([file], vendor="cboe_quote_table", underlying="SPX", lake=tmp_path / "lake")
    assert "quotedata.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_wrong_underlying_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "quotedata.csv"
    file.write_text(CBOE_QUOTE_TABLE)
    with pytest.raises(InputFileError, match="NDX"):
        ingest([file], vendor="cboe_quote_table", underlying="NDX", lake=tmp_path / "lake")


@pytest.mark.parametrize("underlying", ["SPX", "NDX", "RUT"])
def test_real_tables_give_the_expected_regimes(
    tmp_path: Path, shared_data: Path, underlying: str
) -> None:
    file = shared_data / "raw" / f"cboe_quote_table_{underlying.lower()}_20221212.csv"
    found = arrived(tmp_path, "cboe_quote_table", underlying, file)
    _agrees_with_the_file(found.rows, file)
    table = pd.read_parquet(shared_data / "expected" / "cboe_table_20221212.parquet")
    table = table[(table.underlying == underlying) & (table.dealer_model == "naive")]
    for source in ("otm", "own"):
        definition = Definition(rate=0.045, dividend_yield=0.016, iv_source=source)
        rebuild(found.lake, underlying, definition=definition)
        rows = regimes(found.lake, underlying, definition_id=definition.definition_id)
        for want in lines(table[table.iv_source == source]):
            [have] = lines(rows[rows.book == want.book])
            assert have.net_gex == pytest.approx(want.net_gex, abs=1e-6 * want.gross_gex)
            assert have.flip == pytest.approx(want.flip, abs=1e-5)
            names = ("regime", "flip_status", "contracts_used", "contracts_rejected", "known_at")
            assert [getattr(have, n) for n in names] == [getattr(want, n) for n in names]


def _agrees_with_the_file(rows: list[dict[str, object]], file: Path) -> None:
    """Compare every contract with a plain reading of the text."""
    plain = {}
    with file.open(newline="") as stream:
        for line in list(csv.reader(stream))[4:]:
            for name, right, values in (
                (line[1], "C", line[2:11]),
                (line[12], "P", line[13:22]),
            ):
                numbers = [float(v) for v in values]
                iv = numbers[5] if 0.01 <= numbers[5] <= 10 else None
                plain[(name[:-15], name[-15:-9], float(line[11]), right)] = (
                    numbers[0] or None, numbers[2], numbers[3], numbers[4], iv, numbers[8],
                )  # fmt: skip
    assert len(plain) == len(rows)
    for row in rows:
        expiry = row["expiry"]
        key = (row["root"], f"{expiry:%y%m%d}", row["strike"], row["right"])
        names = ("last", "bid", "ask", "volume", "iv", "open_interest")
        assert tuple(row[n] for n in names) == plain[key]  # type: ignore[index]
