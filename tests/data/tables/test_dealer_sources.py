"""Dealers' positions from a file and from an expression."""

from __future__ import annotations

import math
import re
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lakes import lake_of
from small_chains import SESSIONS, Oddities, random_chain

from gexlab.data import rebuild, regimes, side_table
from gexlab.data.base.errors import DefinitionError, GexlabError, InputFileError, UnknownNameError
from gexlab.data.lake.lake import Lake
from gexlab.data.regimes.rebuilt_rows import rebuilt_rows
from gexlab.data.regimes.regime_columns import REGIME_COLUMNS
from gexlab.data.regimes.spec import RegimeSpec
from gexlab.data.tables.dealer_expressions import checked_expression
from gexlab.data.tables.positions import dealer_source, load_positions

NAIVE = "sql: CASE WHEN right = 'C' THEN 1 ELSE -1 END"
IDENTITY = ("dealer_model", "definition_id")


def chain_of(session: date = SESSIONS[0]) -> pd.DataFrame:
    return random_chain(np.random.default_rng(61), session, Oddities())


def positions_of(chain: pd.DataFrame) -> pd.DataFrame:
    """Naive dealers, contract by contract, public ten hours after the chain."""
    held = chain[chain["open_interest"].notna()]
    sign = np.where(held["right"] == "C", 1.0, -1.0)
    return held[["session", "expiry", "settlement", "root", "strike", "right"]].assign(
        position=sign * held["open_interest"],
        known_at=held["known_at"] + pd.Timedelta(hours=10),
    )


def rows_of(lake: Lake, dealer: str, positions: Path | None = None) -> pd.DataFrame:
    rebuild(lake, "SPX", dealer=dealer, positions=positions)
    frame: pd.DataFrame = regimes(lake, "SPX", dealer_model=dealer)
    return frame


def assert_same_numbers(
    found: pd.DataFrame, wanted: pd.DataFrame, besides: tuple[str, ...] = ()
) -> None:
    columns = [c for c in REGIME_COLUMNS if c not in (*IDENTITY, *besides)]
    pd.testing.assert_frame_equal(found[columns], wanted[columns], rtol=1e-12)


def written(tmp_path: Path, frame: pd.DataFrame, name: str = "positions.parquet") -> Path:
    path = tmp_path / name
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False)
    return path


@pytest.mark.parametrize("name", ["positions.parquet", "positions.csv"])
def test_naive_positions_give_the_naive_rows(tmp_path: Path, name: str) -> None:
    chain = chain_of()
    lake = lake_of(tmp_path / "lake", "SPX", chain)
    path = written(tmp_path, positions_of(chain), name)
    found, naive = rows_of(lake, "signed", path), rows_of(lake, "naive")
    assert_same_numbers(found, naive, besides=("known_at",))
    later = found["known_at"] - naive["known_at"]
    assert (later == pd.Timedelta(hours=10)).all()


def test_settlement_and_root_may_be_absent_where_they_are_not_needed(tmp_path: Path) -> None:
    chain = chain_of()
    chain = chain[chain["root"] != "SPX"]
    lake = lake_of(tmp_path / "lake", "SPX", chain)
    bare = positions_of(chain).drop(columns=["settlement", "root"])
    found = rows_of(lake, "signed", written(tmp_path, bare))
    assert_same_numbers(found, rows_of(lake, "naive"), besides=("known_at",))


def test_a_position_that_fits_two_contracts_is_refused(tmp_path: Path) -> None:
    chain = chain_of()
    both = chain[chain["settlement"] == "AM"]
    twin = both.assign(
        settlement="PM", root="SPXW", expiry_ts=both["expiry_ts"] + pd.Timedelta("6h")
    )
    lake = lake_of(tmp_path / "lake", "SPX", pd.concat([both, twin], ignore_index=True))
    bare = positions_of(both).drop(columns=["settlement", "root"])
    with pytest.raises(DefinitionError, match=r"fits 2 contracts of one snapshot: add a column"):
        rebuild(lake, "SPX", dealer="signed", positions=written(tmp_path, bare))


def test_contracts_without_a_position_are_rejected_and_counted(tmp_path: Path) -> None:
    chain = chain_of()
    lake = lake_of(tmp_path / "lake", "SPX", chain)
    positions = positions_of(chain)
    held = positions[positions["position"] != 0.0]
    lost = held.sample(5, random_state=1).index
    found = rows_of(lake, "signed", written(tmp_path, positions.drop(index=lost)))
    naive = rows_of(lake, "naive")
    close = (found["book"] == "as_of_close").to_numpy()
    priced = naive["contracts_used"] - found["contracts_used"]
    assert 0 < priced[close].item() <= 5
    assert (found["contracts_rejected"] - naive["contracts_rejected"]).equals(priced)
    findings = side_table(lake, "quality_findings", "SPX", dealer_model="signed")
    missing = findings[findings["check"] == "position_missing"].set_index("book")
    assert missing["count"].to_dict()["as_of_close"] <= 5
    live = chain.loc[lost]["expiry_ts"] > chain["quote_ts"].iloc[0]
    interest = chain.loc[lost]["open_interest"][live].sum()
    assert missing.loc["as_of_close", "open_interest"] == interest


def test_positions_that_fit_nothing_or_too_much_are_findings(tmp_path: Path) -> None:
    chain = chain_of()
    lake = lake_of(tmp_path / "lake", "SPX", chain)
    positions = positions_of(chain)
    far = positions[chain["expiry_ts"] > chain["quote_ts"] + pd.Timedelta(days=40)]
    first = far[far["position"].abs() > 1.0].index[0]
    empty = far[far["position"] == 0.0].index[0]
    positions.loc[first, "position"] *= 3.0
    positions.loc[empty, "position"] = 7.0
    stray = positions.tail(1).assign(strike=123456.0)
    everything = pd.concat([positions, stray], ignore_index=True)
    rows_of(lake, "signed", written(tmp_path, everything))
    findings = side_table(lake, "quality_findings", "SPX", book="post_expiry")
    counts = findings.set_index("check")["count"].to_dict()
    assert counts["position_unmatched"] == 1
    assert counts["position_exceeds_open_interest"] == 1
    assert counts["position_without_open_interest"] == 1


def test_only_sessions_whose_positions_changed_are_computed(tmp_path: Path) -> None:
    chains = [chain_of(SESSIONS[0]), chain_of(SESSIONS[1])]
    lake = lake_of(tmp_path / "lake", "SPX", *chains)
    table = pd.concat([positions_of(c) for c in chains], ignore_index=True)
    path = written(tmp_path, table)
    assert rebuild(lake, "SPX", dealer="signed", positions=path).rebuilt == 2
    assert rebuild(lake, "SPX", dealer="signed", positions=path).rebuilt == 0
    late = table["session"] == SESSIONS[1]
    written(tmp_path, table.assign(position=table["position"].where(~late, 1.0)))
    assert rebuild(lake, "SPX", dealer="signed", positions=path).rebuilt == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"right": "X"}, r"column 'right' holds 'X' in row 1: expected one of C, CALL"),
        ({"settlement": "EU"}, r"column 'settlement' holds 'EU'.*expected one of AM, PM"),
        ({"strike": 100.0, "right": "C"}, r"expected one position per contract and session"),
    ],
)
def test_what_cannot_be_positions_is_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    table = positions_of(chain_of()).head(3).assign(**change)
    with pytest.raises(InputFileError, match=message):
        load_positions(written(tmp_path, table))


def test_signed_needs_its_file_and_only_signed_reads_one(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="needs dealers' positions"):
        dealer_source("signed")
    with pytest.raises(DefinitionError, match="does not read them"):
        dealer_source("naive", tmp_path / "positions.csv")


def test_an_expression_gives_the_naive_rows(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, "SPX", chain_of())
    assert_same_numbers(rows_of(lake, NAIVE), rows_of(lake, "naive"))


def test_an_expression_sees_its_row(tmp_path: Path) -> None:
    """Dealers short every put below spot, and nothing else: puts_only without the rest."""
    chain = chain_of()
    lake = lake_of(tmp_path / "a", "SPX", chain)
    cut = "sql: CASE WHEN right = 'P' AND strike < spot THEN -1 ELSE 0 END"
    found = rows_of(lake, cut)
    below = (chain["right"] == "P") & (chain["strike"] < chain["spot"])
    alone = chain.assign(open_interest=chain["open_interest"].where(below, 0.0))
    wanted = rows_of(lake_of(tmp_path / "b", "SPX", alone), "puts_only")
    for column in ("net_gex", "gross_gex", "net_dex", "put_wall", "flip"):
        np.testing.assert_allclose(found[column], wanted[column], rtol=1e-12)


@pytest.mark.parametrize("unknown", ["NULL", "1e308", "-1e308 * open_interest"])
def test_a_sign_that_is_none_is_unknown_not_zero(tmp_path: Path, unknown: str) -> None:
    lake = lake_of(tmp_path, "SPX", chain_of())
    found = rows_of(lake, f"sql: CASE WHEN right = 'C' THEN 1 ELSE {unknown} END")
    naive = rows_of(lake, "naive")
    assert (found["contracts_rejected"] > naive["contracts_rejected"]).all()
    assert (found["quality"].str.contains("open_interest_rejected")).all()


def test_two_expressions_never_share_rows(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, "SPX", chain_of())
    above = rows_of(lake, "sql: CASE WHEN strike > spot THEN 1 ELSE 0 END")
    below = rows_of(lake, "sql: CASE WHEN strike < spot THEN 1 ELSE 0 END")
    assert (above["gross_gex"] != below["gross_gex"]).all()
    again: pd.DataFrame = regimes(
        lake, "SPX", dealer_model="sql: CASE WHEN strike > spot THEN 1 ELSE 0 END"
    )
    pd.testing.assert_frame_equal(again, above)


def test_an_expression_that_fails_on_the_data_says_so(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, "SPX", chain_of())
    huge = "sql: (expiry - session) * 9223372036854775807"
    with pytest.raises(
        DefinitionError, match=r"dealer model 'sql: \(expiry .*' fails on the chains"
    ):
        rebuild(lake, "SPX", dealer=huge)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1; DROP TABLE chains",
        "1; COPY (SELECT 1) TO 'stolen.csv'",
        "1 FROM read_parquet('other.parquet')",
        "1 UNION SELECT 2",
        "1 WHERE true",
        "1 LIMIT 1",
        "1), (2",
        "1, 2",
        "(SELECT max(strike) FROM positioned_rows)",
        "EXISTS (SELECT 1)",
        "strike IN (SELECT 1)",
        "strike = ANY (SELECT 1)",
        "sum(strike)",
        "sum(strike) FILTER (WHERE true)",
        "abs(DISTINCT strike)",
        "row_number() OVER ()",
        "lead(strike) OVER (ORDER BY session)",
        "read_text('secret.txt')",
        "getenv('HOME')",
        "current_setting('threads')",
        "random()",
        "now()",
        "nextval('s')",
        "query('SELECT 1')",
        "$1",
        "?",
        "*",
        "COLUMNS(*)",
        "strike[1]",
        "{'a': 1}",
        "[1, 2]",
        "list_transform([1], x -> x)",
        "positions.strike",
        "main.abs(strike)",
        "strike::INTEGER",
        "CAST(strike AS DOUBLE)",
        "strike COLLATE nocase",
        "no_such_column",
        "root",
        "iv IS NULL",
        "'1' || '2'",
        "1 /* */ ; ATTACH 'x.db'",
        "case when 1 then 1 else (select 1) end",
        "coalesce(1, (select 1))",
        "1 ORDER BY (SELECT 1)",
        "(" * 60 + "1" + "+1)" * 60,
        "1" + "+1" * 4_000,
        "abs(" * 790 + "1" + ")" * 790,
        "NOT " * 900 + "true",
        "- " * 1_900 + "1",
        "CASE WHEN 1=1 THEN " * 150 + "1" + " END" * 150,
        "1\0",
        "1 /*",
        "'",
        '"',
        "--",
        "1 AS x",
        "strike spot",
        "0x7f",
        "abs(x := strike)",
        "1 COLLATE x",
        "TRY(1)",
        "#1",
        ":a",
        "$a",
        "lambda x: x",
        "(FROM 'secret.csv')",
        "(SHOW TABLES)",
        "(TABLE chains)",
        "1 = ANY([1])",
        "1 QUALIFY 1 = 1",
        "1 USING SAMPLE 1",
        "INSTALL httpfs",
        "SET threads = 1",
        "PRAGMA version",
        "ATTACH 'other.db'",
        "read_csv('secret.csv')",
        "getvariable('x')",
        "pg_sleep(10)",
        "generate_series(1, 1000000000)",
        "unnest([1, 2])",
        "count(*)",
        "GROUPING(strike)",
        "* EXCLUDE (strike)",
        "current_user",
        "DATE '2020-01-01' - session",
        "9" * 60,
        "expiry_ts - quote_ts",
        "strike = right",
    ],
)
def test_nothing_but_the_row_is_reached(text: str) -> None:
    with pytest.raises(GexlabError) as caught:
        checked_expression(text)
    assert len(str(caught.value)) < 500
    assert isinstance(caught.value, DefinitionError | UnknownNameError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "written_as"),
    [
        ("1 -- a comment", "1"),
        ("right = 'C' AND 'right' = right", None),
        (
            "CASE right WHEN 'C' THEN 1 ELSE -1 END",
            "CASE  WHEN ((\"right\" = 'C')) THEN (1) ELSE -1 END",
        ),
        ("least(1, strike / spot)", "least(1, (strike / spot))"),
        ("expiry - session", '(expiry - "session")'),
        ("-abs(delta) * (iv BETWEEN 0.1 AND 0.2 OR NOT root IN ('SPX'))", None),
    ],
)
def test_what_is_allowed(text: str, written_as: str | None) -> None:
    if written_as is None:
        with pytest.raises(DefinitionError):
            checked_expression(text)
    else:
        assert checked_expression(text) == written_as


def test_both_scans_deliver_the_same_columns() -> None:
    folder = files("gexlab.data") / "lake" / "sql"
    plain, positioned = (
        re.sub(r"--.*", "", (folder / name).read_text(encoding="utf-8"))
        for name in ("rebuild_scan.sql", "rebuild_scan_positions.sql")
    )
    select = plain[: plain.index("FROM read_parquet")].strip()
    assert positioned.strip().startswith(select + ',\n    r."position"')


def test_naive_dealers_of_a_share_are_a_finding(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, "SPX", chain_of())
    for instrument, dealer, expected in (
        ("share", "naive", True),
        ("index", "naive", False),
        ("share", "inverted", False),
    ):
        rebuild(lake, "SPX", dealer=dealer, instrument=instrument)
        spec = RegimeSpec("SPX", dealer=dealer, instrument=instrument)
        findings = rebuilt_rows(lake, spec).table("quality_findings", "post_expiry")
        assert ("naive_single_stock" in set(findings["check"])) == expected
    with pytest.raises(UnknownNameError, match="unknown instrument 'stock'"):
        rebuild(lake, "SPX", instrument="stock")


def test_nan_is_not_a_sign() -> None:
    assert math.isnan(dealer_source(NAIVE).model.call_sign)
