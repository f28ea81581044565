"""Kinds in which files from the field differ: the cases of each, and what was tried beyond them.

A kind names the cases (`field_cases`), further instances (tests below ``tests/``, or names of
`instances`) and, by number in `public_layouts`, layouts that were found in public repositories. All
of them exist, and each kind has at least five instances, two of them public (`test_counts.py`).
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["KINDS", "Kind"]


class Kind(NamedTuple):
    """One kind.

    Attributes
    ----------
    name : str
    cases : tuple of str
        Numbers of the cases.
    instances : tuple of str
        ``file::function`` or ``kind: name`` of an `Instance`.
    public : tuple of str
        Further instances, after public files, that are no layouts of chains.
    """

    name: str
    cases: tuple[str, ...]
    instances: tuple[str, ...]
    public: tuple[str, ...] = ()


_KINDS = "field/test_kinds.py"
_LAYOUTS = "field/test_layouts.py::test_a_layout_becomes_a_regime"
_BARS = "field/test_bar_files.py"
_INSPECT = "field/test_inspect.py"

KINDS: Final = {
    1: Kind(
        "several tables in one call",
        ("01", "02", "03", "28"),
        (
            "several tables: other order of columns",
            "several tables: integers beside decimals",
            "several tables: semicolons beside commas",
            f"{_KINDS}::test_yearly_parquet_with_prices_of_the_underlying_beside_it",
            f"{_KINDS}::test_packed_files_and_a_vendors_archive",
        ),
    ),
    2: Kind(
        "dates and moments",
        ("04", "05", "06", "15", "25", "35"),
        (
            "dates: two digits, the map decides",
            "dates: New York's midnights in UTC, Parquet",
            "epochs: nanoseconds",
            "moments: zone by letters",
            f"{_KINDS}::test_what_can_be_read_in_two_ways_is_refused",
            "field/test_fuzz_dialects.py::test_never_another_chain",
        ),
    ),
    3: Kind(
        "settlement and roots",
        ("07", "08", "16"),
        (
            "roots: NDX NDXP 2024-01-19",
            "roots: VIX VIXW 2024-01-24",
            "symbols: .SPY240119C470",
            f"{_KINDS}::test_roots_and_what_they_deliver",
            f"{_KINDS}::test_spellings_of_a_symbol",
        ),
    ),
    4: Kind(
        "deliverables",
        ("09",),
        (
            "roots: SPY SPY7 2024-01-19",
            "roots: AAPL AAPL1 2024-01-19",
            "roots: XSP XSP 2024-01-19",
            f"{_KINDS}::test_roots_and_what_they_deliver",
            "backtest/run/test_lake_facts.py::"
            "test_ingest_refuses_another_kind_and_says_what_changes",
        ),
    ),
    5: Kind(
        "several snapshots of a session, equal and contradicting rows",
        ("10", "26", "37"),
        (
            f"{_LAYOUTS}[DataShop, intervals]",
            f"{_LAYOUTS}[ORATS, one minute]",
            f"{_LAYOUTS}[Databento]",
            f"{_KINDS}::test_stamps_of_contracts_are_one_snapshot",
            f"{_KINDS}::test_two_rows_of_one_key_are_refused",
        ),
    ),
    6: Kind(
        "one contract from several files",
        ("11", "30", "33"),
        (
            f"{_LAYOUTS}[Polygon, flat files]",
            f"{_LAYOUTS}[ThetaData]",
            f"{_LAYOUTS}[NSE before July 2024]",
            f"{_KINDS}::test_files_of_one_contract_are_joined",
            f"{_KINDS}::test_joins_by_whole_symbols",
        ),
    ),
    7: Kind(
        "sentinels",
        ("12", "31"),
        (
            "sentinels: 4294967295",
            "sentinels: \\N",
            "sentinels: #N/A",
            "sentinels: by the map, a number",
            "sentinels: by the map, a word",
        ),
    ),
    8: Kind(
        "units that the data contradict",
        ("13",),
        (
            "field/test_units.py::test_another_unit_closes_the_gate",
            "field/test_units.py::test_volatilities_that_can_be_none",
            f"{_INSPECT}::test_the_command",
            "text: thousands",
            "field/test_fuzz_dialects.py::test_never_another_chain",
        ),
    ),
    9: Kind(
        "nothing left out in silence",
        ("14", "20", "35"),
        (
            "packed: an empty file among good ones",
            "packed: a header without rows among good ones",
            "field/test_cases.py::test_more_than_half_rejected_writes_nothing",
            f"{_KINDS}::test_a_join_without_any_match_is_refused",
            f"{_KINDS}::test_what_no_row_has_is_said",
        ),
    ),
    10: Kind(
        "shapes",
        ("17", "18", "19", "21", "22", "27", "29"),
        (
            "text: UTF-16",
            "packed: folders in a zip",
            f"{_KINDS}::test_json_as_services_return_it",
            f"{_KINDS}::test_encodings",
            f"{_KINDS}::test_calls_and_puts_side_by_side",
        ),
    ),
    11: Kind(
        "dictionaries of values, fallback columns, aliases",
        ("25", "31", "32"),
        (
            f"{_KINDS}::test_values_missing_and_where",
            "public layouts: a table of a warehouse",
            f"{_KINDS}::test_a_part_of_a_text",
            f"{_LAYOUTS}[Korea]",
            f"{_LAYOUTS}[DataShop, end of day with calcs]",
        ),
    ),
    12: Kind(
        "calendars that are corrected",
        ("34",),
        (
            f"{_KINDS}::test_a_closure_announced_late",
            "calendars: a Saturday made up for",
            "calendars: both at once",
            "field/test_taifex.py::test_a_year_of_taiwan",
            f"{_KINDS}::test_a_weekend_day_nobody_added",
        ),
    ),
    13: Kind(
        "expirations by month code, no spot, two trading sessions",
        ("36",),
        (
            f"{_KINDS}::test_codes_of_months",
            "field/test_implied_spot.py::test_a_map_that_asks_for_parity",
            f"{_LAYOUTS}[Taiwan, daily file]",
            f"{_LAYOUTS}[Korea]",
            f"{_LAYOUTS}[Eurex]",
        ),
    ),
    14: Kind(
        "bars",
        ("23", "24"),
        (
            f"{_BARS}::test_daily_bars",
            f"{_BARS}::test_several_tickers_of_yfinance",
            f"{_BARS}::test_another_clock_is_named",
            f"{_BARS}::test_stamps_at_the_end_of_a_bar_are_named",
            f"{_BARS}::test_the_right_clock_and_parts_of_sessions_are_left_alone",
        ),
        (f"{_BARS}::test_daily_bars[metatrader]", f"{_BARS}::test_daily_bars[spx collector]"),
    ),
    15: Kind(
        "help to get in",
        (),
        (
            f"{_INSPECT}::test_the_starting_map_ingests",
            f"{_INSPECT}::test_a_preset_is_named",
            f"{_INSPECT}::test_roots_of_an_index_are_roots",
            f"{_INSPECT}::test_files_of_joins_that_are_not_there_are_commented_out",
            f"{_INSPECT}::test_the_command",
        ),
        (f"{_INSPECT}::test_public_layouts_get_in_by_their_starting_map",),
    ),
}
