"""What holds each output of nights, of the archive, of the lake's record and of many names.

Output to the test that holds it, or to a word of `PLAIN`; patterns of `fnmatch`, in which ``[]``
and ``[*]`` are meant literally.
"""

from __future__ import annotations

__all__ = ["HELD"]

_HERE = "consistency/test_nights_and_lakes.py"
_NIGHT = f"{_HERE}::test_a_night_says_what_the_lake_says"
_CHANGE = f"{_HERE}::test_the_change_is_that_of_the_table_and_of_explain"
_TARGETS = f"{_HERE}::test_targets_are_what_the_next_backtest_decided"
_FILES = f"{_HERE}::test_targets_are_told_alike_in_every_file"
_FORECASTS = f"{_HERE}::test_forecasts_are_those_of_their_night"
_SCORES = f"{_HERE}::test_scores_by_pandas"
_STEPS = f"{_HERE}::test_steps_count_what_came_in"
_ARCHIVE = f"{_HERE}::test_the_archive_says_what_the_nights_wrote"
_COMPARED = f"{_HERE}::test_two_nights_differ_where_their_files_do"
_VERSIONS = f"{_HERE}::test_versions_are_what_the_lake_holds_at_each"
_DISK = f"{_HERE}::test_compact_and_vacuum_by_the_disk"
_NAMES = f"{_HERE}::test_names_of_a_cross_section_by_pandas"
_SUMS = f"{_HERE}::test_sums_of_a_cross_section_by_pandas"
_EVERY = f"{_HERE}::test_all_names_are_each_of_them"
_RUNS = f"{_HERE}::test_runs_of_all_names_are_their_files"
_MIGRATION = "data/lake/test_housekeeping.py::test_migration_changes_no_value"
_EACH = "reports/cli/test_many_commands.py::test_a_backtest_of_each"
_NIGHTLY = "reports/nightly/test_nightly.py"
_ASIDE = f"{_NIGHTLY}::test_what_cannot_be_read_is_put_aside"
_KEY = f"{_NIGHTLY}::test_everything_that_a_report_depends_on_is_in_its_key"
_REPLAYED = "reports/nightly/test_replay.py::test_a_replay_gives_the_same_bytes"
_INGEST = "data/ingest/test_ingest.py"
_AGAIN = f"{_INGEST}::test_the_same_file_again_changes_nothing"
_REJECTED = f"{_INGEST}::test_every_reject_is_counted_by_its_first_reason"
_DRY = f"{_INGEST}::test_a_dry_run_counts_and_writes_nothing"
_OTHERS = f"{_INGEST}::test_rows_of_other_underlyings_are_left_out_and_counted"
_ASSUMED = "data/ingest/test_many.py::test_what_is_assumed_of_whom"
_IMPLIED = "field/test_implied_spot.py::test_every_output_says_that_the_spot_is_implied"
_EFFECT = "backtest/hypotheses/test_cross_section.py"


def _each(place: str, names: str, held: str, between: str | None = None) -> dict[str, str]:
    """Return the entry of each name at a place."""
    return {f"{place}{name}": held for name in names.split(between)}


_FORECAST = "kind name value fill fill_at valid_until"
_ORDER = "strategy role session label target before fill fill_at valid_until abstains inputs"
_SUMMED = (
    "session known_at names abstaining lacking net_gex gross_gex net_to_gross share_long "
    "share_short share_neutral concentration largest largest_share dispersion regime_entropy"
)
_NAMED = (
    "session underlying sector known_at spot regime quality counts net_gex gross_gex "
    "net_to_gross rank_net_gex rank_net_to_gross share_of_absolute share_of_gross "
    "per_dollar_volume per_market_value"
)
_FACTS = (
    "underlying session regime quality value currency spot flip flip_distance call_wall "
    "put_wall net_to_gross definition_id content_id"
)

_OF_NIGHTS = {
    **_each("run.json ", "seconds steps.[].seconds created_at", "clock"),
    **_each("run.json ", f"{_FACTS} summary status exit_code folder report alerts", _NIGHT),
    "run.json gexlab": _ARCHIVE,
    "run.json steps.[].counts": _STEPS,
    **_each("run.json steps.[].", "name status", _STEPS),
    **_each(
        "run.json steps.[].counts.",
        "put_aside files files_unchanged rows_read rows_written rows_rejected sessions rebuilt "
        "scores archived joined added",
        _STEPS,
    ),
    **_each("run.json change.", "since by mostly part", _CHANGE),
    "run.json carry": _KEY,
    "run.json made_again": f"{_NIGHTLY}::test_why_a_session_has_another_night",
    "run.json deliveries": f"{_NIGHTLY}::test_a_night_is_told_once",
    "run.json beside": f"{_NIGHTLY}::test_grid_and_tournament_are_steps_of_a_night",
    **_each("run.json ", "inputs.[].path inputs.[].sha256 lake_version trials.* record", _REPLAYED),
    **_each("run.json ", "put_aside reason", _ASIDE),
    **_each("nightly.json ", "key facts_sha256", _KEY),
    "nightly.json files.*": _ARCHIVE,
    **_each("nightly.json facts.forecasts.[].", _FORECAST, _FORECASTS),
    **_each("nightly.json facts.", f"{_FACTS} carry alerts", _ARCHIVE),
    **_each("nightly.json facts.change.", "since by mostly part", _ARCHIVE),
    **_each("record ", "number previous scores late", _SCORES),
    **_each("record ", "session content_id definition_id", _FORECASTS),
    **_each("record forecasts.[].", _FORECAST, _FORECASTS),
    **_each("record scores.[].", "of kind name forecast realised hit pnl", _SCORES),
    **_each(
        "page tab-live ",
        "Strategy|Nights|Abstained|Scored|Hits of those with a position|Live mean bp a session|"
        "Backtest mean bp a session|Live total",
        _SCORES,
        "|",
    ),
    **_each(
        "page tab-forecasts ",
        "Forecast|Nights|Scored|Forecast mean|Realised mean|As said",
        _SCORES,
        "|",
    ),
    **_each(
        "page tab-nights ",
        "Session|Regime|Net GEX|Net / gross|Spot|Flip|Spot above flip|Put wall|Call wall|State|"
        "Night",
        _ARCHIVE,
        "|",
    ),
    **_each("targets.json ", "content_id underlying", _FILES),
    **_each("targets.json targets.[].", _ORDER, _TARGETS),
    **_each("targets.json targets.[].inputs.[].", "column value known_at", _TARGETS),
    **_each("targets.csv ", f"content_id underlying {_ORDER}", _FILES),
    **_each("summary.md ", "strategy|target|label|valid until|why", _FILES, "|"),
    **_each("runs nights.[].", "name session regime quality damaged created_at", _ARCHIVE),
    **_each("runs nights.[].", "facts.* versions.* inputs.*", _ARCHIVE),
    **_each("runs ", "folder differences", "text"),
    "runs --compare folder": "text",
    "runs --compare nights.[].*": "same",
    **_each("runs --compare differences.[].", "kind name first second", _COMPARED),
}
_OF_LAKES = {
    **_each("versions* [].", "version at operation underlying sessions", _VERSIONS),
    **_each("compact ", "underlyings files_before files_after rebuilt_before rebuilt_after", _DISK),
    **_each("vacuum ", "files bytes oldest versions", _DISK),
    **_each("migrate ", "underlyings sessions stores left_out", _MIGRATION),
}
_BOOK = "backtest/grid/test_book_of_underlyings.py::"
_SHARED = f"{_BOOK}test_twenty_one_shared_sessions_make_a_correlation"
_OF_MANY = {
    "backtest [*] combined.weights": f"{_BOOK}test_correlation_and_given_weights",
    "backtest [*] combined.*correlation*": _SHARED,
    "backtest [*] combined.*": f"{_BOOK}test_two_names_by_hand",
    **_each("cross-section names.[].", _NAMED, _NAMES),
    **_each("cross-section market.[].", _SUMMED, _SUMS),
    **_each("cross-section sectors.[].", f"sector {_SUMMED}", _SUMS),
    **_each("cross-section ", "book dealer_models definition_ids", _NAMES),
    "cross-section hypotheses": f"{_EFFECT}::test_a_planted_effect_is_found_and_none_is_not",
    "cross-section left_out": f"{_EFFECT}::test_a_row_explains_the_next_session_by_hand",
    "cross-section not_rebuilt": "data/regimes/test_cross_section.py::test_names_by_hand",
    "cross-section --out out": "text",
    **_each(
        "cross-section --out ",
        "book dealer_models definition_ids not_rebuilt hypotheses left_out",
        "same",
    ),
    **_each("names.parquet ", _NAMED, _NAMES),
    **_each("market.parquet ", _SUMMED, _NAMES),
    **_each("sectors.parquet ", f"sector {_SUMMED}", _NAMES),
    "regimes [*] [].*": "same",
    "check [*] [].*": "reports/cli/test_commands.py::test_check_lists_findings",
    **{
        f"ingest [*] {part}{name}": held
        for part in ("", "by_underlying.NAME.")
        for name, held in {
            **_each("", "sessions rows_read rows_written rows_rejected", _EVERY),
            **_each("", "rows_replaced rows_repeated rows_left_out", _EVERY),
            **_each("", "rows_of_others others", _OTHERS),
            **_each("", "files files_unchanged files_ignored files_empty ignored", _AGAIN),
            **_each("", "dry_run first_rows", _DRY),
            "rejects": _REJECTED,
            "unmatched": "field/test_kinds.py::test_a_join_without_any_match_is_refused",
            "spots_implied": _IMPLIED,
            "volatilities_outside": "field/test_units.py::test_volatilities_that_can_be_none",
            "without": "field/test_kinds.py::test_what_no_row_has_is_said",
            "changes": "backtest/run/test_lake_facts.py::"
            "test_ingest_refuses_another_kind_and_says_what_changes",
            **_each("", "assumed settings_unused by_underlying", _ASSUMED),
        }.items()
    },
    **{
        f"rebuild [*] {part}{name}": held
        for part in ("", "by_underlying.NAME.")
        for name, held in {
            "seconds": "clock",
            **_each("", "sessions rebuilt contracts definition_id", _EVERY),
            **_each("", "assumed failed settings_unused by_underlying", _ASSUMED),
        }.items()
    },
    **_each("rebuild [*] assumed.NAME.", "underlying values.* said_by.*", _ASSUMED),
    "verify [*] files": _DISK,
    "verify [*] sessions": _EVERY,
    "verify [*] damaged": "data/lake/test_verify.py::test_the_command",
    **_each("backtest [*] ", "underlyings.NAME.*", _RUNS),
    "backtest [*] failed": _EACH,
    "test [*] underlyings.NAME.[].*": _RUNS,
    "test [*] failed": _EACH,
}
#: Output to what holds it; the first pattern that fits counts.
HELD: dict[str, str] = {**_OF_NIGHTS, **_OF_LAKES, **_OF_MANY}
