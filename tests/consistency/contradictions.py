"""Contradictions that outputs once had or might have had, by kind, and the test that holds each.

An entry says what contradicted what and names tests (``file::function`` below ``tests/``) that fail
where it comes back. ``LOOKED_FOR`` holds further cases of each kind that were gone after: ``found``
and mended, or ``none``: the places agreed already. All tests exist (`test_contradictions.py`).
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

__all__ = ["INSTANCES", "KINDS", "LOOKED_FOR", "Case", "Found"]


class Case(NamedTuple):
    """One contradiction: its kind, what it was, and the tests that hold it."""

    kind: str
    what: str
    tests: tuple[str, ...]


class Found(NamedTuple):
    """One further case that was looked for."""

    kind: str
    what: str
    outcome: Literal["found", "none"]
    tests: tuple[str, ...]


KINDS: Final = {
    "A": "the period is not applied to every input",
    "B": "the market's facts are stated twice and never compared",
    "C": "identity leaves an input out",
    "D": "one rule, two treatments",
    "E": "a constant of the US index",
    "F": "a sentence against its table",
}

_PERIOD = "backtest/run/test_period.py"
_HARNESS = "consistency/test_quantities.py::test_every_place_says_the_same"
_HERE = "consistency/test_contradictions.py"
_MARKET = "backtest/run/test_market_choice.py"
_LAKE_FACTS = "backtest/run/test_lake_facts.py"
_EXPLAIN = "reports/cli/test_explain_run.py"
_HOLES = "backtest/execution/test_holes.py"
_ONE = "backtest/run/test_one_answer.py"
_EARNED = "backtest/execution/test_performance.py"
_CARRY = "reports/cli/test_missing_carry.py"
_RULES = "data/calendar/test_monthly_rules.py"
_VERDICT = "reports/page/test_verdict.py"
_CONSTANTS = "test_market_constants.py::test_constants_have_one_place"

INSTANCES: Final = (
    Case(
        "A1",
        "`end` cut daily bars, not intraday bars: momentum-split was tested on sessions after it",
        (f"{_PERIOD}::test_hypotheses", f"{_PERIOD}::test_backtest"),
    ),
    Case(
        "A1",
        "intraday sessions after the last daily bar got the last bar's GEX",
        (f"{_PERIOD}::test_minutes_after_the_last_daily_bar_get_no_old_gamma",),
    ),
    Case(
        "A2",
        "flip-placebo, sign-audit, close-reversal and screenshot-vs-dynamic ignored `start`",
        (
            f"{_PERIOD}::test_hypotheses_from_a_start",
            f"{_PERIOD}::test_sixteen_hypotheses_from_a_start",
        ),
    ),
    Case("A2", "screenshot-vs-dynamic ignored `end`", (f"{_PERIOD}::test_hypotheses",)),
    Case(
        "A2",
        "GEX before `start` was dropped instead of warming up ranks",
        (f"{_PERIOD}::test_what_lies_before_the_start_warms_up_and_counts_in_nothing",),
    ),
    Case(
        "A3",
        "notices and quality tables spoke of sessions outside the period",
        (
            f"{_PERIOD}::test_tables_of_the_report",
            f"{_HERE}::test_what_is_wrong_before_the_start_is_not_told",
        ),
    ),
    Case(
        "A3",
        "the notice counted other sessions without a regime than the table of regimes",
        (f"{_HERE}::test_what_is_wrong_before_the_start_is_not_told",),
    ),
    Case(
        "A3",
        "nightly's headline was a session after `end`",
        (f"{_MARKET}::test_nightly_speaks_of_the_period",),
    ),
    Case(
        "B",
        "a configuration that names no calendar took New York's beside a lake of another market: "
        "sessions dropped, regimes late, another Sharpe ratio",
        (f"{_MARKET}::test_a_configuration_without_a_calendar_takes_the_lakes", _HARNESS),
    ),
    Case(
        "B",
        "the lake says short of the last session, the report abstain, valued at New York's open",
        (_HARNESS,),
    ),
    Case(
        "B",
        "results were written, then the report failed: a Saturday is no session of New York",
        (f"{_MARKET}::test_a_configuration_without_a_calendar_takes_the_lakes",),
    ),
    Case(
        "B",
        "diff --bars, regimes --unit share_of_adv --bars, leakcheck and nightly took New York's "
        "sessions",
        (f"{_MARKET}::test_a_configuration_without_a_calendar_takes_the_lakes", _HARNESS),
    ),
    Case(
        "B",
        "a contradiction of lake and configuration was accepted without a word",
        (
            f"{_MARKET}::test_a_calendar_that_contradicts_the_lake_is_refused_everywhere",
            f"{_MARKET}::test_other_contradictions",
            f"{_MARKET}::test_a_series_has_a_calendar_too",
            f"{_LAKE_FACTS}::test_every_command_that_reads_a_configuration_refuses",
        ),
    ),
    Case(
        "C1",
        "a rebuild under another calendar left its rows under the same id; a calendar refused on a "
        "fresh lake was accepted on a rebuilt one",
        (f"{_HERE}::test_a_rebuilt_lake_refuses_the_calendar_that_a_fresh_one_refuses",),
    ),
    Case(
        "C2",
        "regimes showed one dealer model's rows, profile and explain another's",
        (
            f"{_EXPLAIN}::test_one_dealer_model_is_one_thing_everywhere",
            f"{_EXPLAIN}::test_a_dealer_model_that_nobody_rebuilt_is_refused_everywhere",
        ),
    ),
    Case(
        "C2",
        "explain --run took definition, dealer and book from the lake instead of the run",
        (
            f"{_EXPLAIN}::test_definition_dealer_book_and_label_are_the_runs",
            f"{_EXPLAIN}::test_what_contradicts_the_run_is_refused",
        ),
    ),
    Case(
        "C2",
        "explain --run accepted a run of another underlying",
        (f"{_EXPLAIN}::test_a_run_of_another_underlying_or_lake_is_refused",),
    ),
    Case(
        "C3",
        "a rebuild of one book deleted the rows of the other",
        ("data/regimes/test_rebuild.py::test_one_book_leaves_the_rows_of_the_other",),
    ),
    Case(
        "D1",
        "backtest and fade-follow traded the main strategy differently",
        (f"{_ONE}::test_the_hypothesis_is_what_the_backtest_trades",),
    ),
    Case(
        "D2",
        "a return over a hole counted as one session in Sharpe ratio and CAGR, not in volatilities",
        (
            f"{_HOLES}::test_metrics_are_those_of_single_sessions",
            f"{_HOLES}::test_volatilities_and_hypotheses_leave_it_out_alike",
        ),
    ),
    Case(
        "D2",
        "diff traded over holes and at spots that the gate refused",
        (f"{_HOLES}::test_diff_trades_neither_over_holes_nor_at_refused_spots",),
    ),
    Case(
        "D3",
        "q was made of another p than the one printed; the stepdown kept what the verdict refused",
        (
            "backtest/hypotheses/test_kill_conditions.py::test_q_is_made_of_the_p_that_is_printed",
            "backtest/statistics/test_multiple.py::test_stepdown_speaks_of_the_tests_own_p",
        ),
    ),
    Case(
        "D4",
        "the regime of a control's order was its filter's label",
        (
            f"{_ONE}::test_regimes_of_orders_and_results_are_the_sessions",
            f"{_EARNED}::test_an_order_carries_the_sessions_regime_and_the_filters_own_label",
        ),
    ),
    Case(
        "D4",
        "total_return compounded at the top and was a sum by regime, which added up to n - 1",
        (f"{_EARNED}::test_regimes_add_up_to_the_whole",),
    ),
    Case(
        "D4",
        "the first fill's cost was missing by regime, and from totals of same_close",
        (f"{_EARNED}::test_the_cost_of_a_fill_on_the_first_close_is_no_gift",),
    ),
    Case(
        "D5",
        "no_carry was found by rebuild and explain, never by check and the report",
        (
            f"{_CARRY}::test_regimes",
            f"{_CARRY}::test_one_session",
            f"{_CARRY}::test_runs_and_nights",
        ),
    ),
    Case(
        "E",
        "third Fridays as expirations of every market: pin-distance, gex_next_opex_share",
        (
            f"{_RULES}::test_the_session_of_a_monthly_expiration",
            f"{_RULES}::test_the_ingest_knows_the_same_expirations",
            f"{_HERE}::test_pins_are_looked_for_at_the_markets_own_expirations",
            _HARNESS,
        ),
    ),
    Case(
        "E",
        "the S&P 500's value traded a day behind every market's hedging factor",
        (f"{_HERE}::test_value_traded_is_known_of_the_sp_500_alone",),
    ),
    Case(
        "E",
        "252 sessions a year for a market that never closes",
        (
            f"{_MARKET}::test_a_configuration_without_a_calendar_takes_the_lakes",
            _HARNESS,
            _CONSTANTS,
        ),
    ),
    Case("E", "dollars for rupees, Taiwan dollars, coins", (f"{_RULES}::test_facts", _CONSTANTS)),
    Case("E", "VIX for any volatility index", (_CONSTANTS,)),
    Case(
        "F1",
        "no objection found, over hundreds of warnings in the same report; all of them pass the "
        "gate, over abstentions",
        ("backtest/run/test_lake_run.py::test_the_verdict_on_the_data_is_that_of_their_table",),
    ),
    Case(
        "F2",
        "headings said 95 % over intervals of another level",
        ("consistency/test_quantities.py::test_headings_state_the_level",),
    ),
    Case(
        "F2",
        "n of an estimator was that of another",
        (
            "backtest/statistics/test_volatility_by_regime.py::"
            "test_every_estimate_has_the_n_of_its_own_estimator_horizon_and_regimes",
        ),
    ),
    Case(
        "F2",
        "a few intraday sessions turned an answer of nine years into undefined",
        (f"{_VERDICT}::test_the_longest_sample_leads",),
    ),
    Case(
        "F3",
        "the verdict was about the first strategy, roles and highlights about another",
        (
            f"{_EARNED}::test_the_first_is_judged_what_is_built_in_controls_and_the_rest_is_ones_own",
        ),
    ),
    Case(
        "F3",
        "no better than its controls, where no control ran",
        (
            f"{_ONE}::test_controls_always_run",
            f"{_ONE}::test_holding_under_another_name_is_no_better_than_holding",
        ),
    ),
    Case(
        "F3",
        "one number of trials in the sentence, another in the provenance",
        (f"{_ONE}::test_the_hypothesis_is_what_the_backtest_trades",),
    ),
    Case(
        "F4",
        "hypotheses needed data, and the terminal did not say which",
        (f"{_HERE}::test_the_terminal_names_each_hypothesis_that_needs_data",),
    ),
    Case(
        "F4",
        "pin-distance asked for the lake that it had",
        (f"{_HERE}::test_pins_without_strikes_do_not_ask_for_the_lake_that_is_there",),
    ),
    Case(
        "F4",
        "all hypotheses on fifty sessions ended in an unexpected error and lost every result",
        (f"{_HERE}::test_all_hypotheses_on_fifty_sessions",),
    ),
    Case(
        "F4",
        "integer sums came as text in JSON",
        ("reports/cli/test_answers.py::test_values_reach_json_whole",),
    ),
)

LOOKED_FOR: Final = (
    Found(
        "A",
        "the interval of pin-distance was drawn from closes before `start`, and before any GEX",
        "found",
        (f"{_PERIOD}::test_sixteen_hypotheses_from_a_start",),
    ),
    Found(
        "A",
        "the notice promoted_findings counted sessions before `start`",
        "found",
        (f"{_EXPLAIN}::test_sessions_that_abstain_by_promotion_are_explained_as_the_run_saw_them",),
    ),
    Found(
        "A",
        "ranks of the volatility index stood on the sessions that have bars: where bars begin "
        "moved n of beyond-leverage",
        "found",
        (
            f"{_PERIOD}::test_sixteen_hypotheses_from_a_start",
            "backtest/hypotheses/test_ranks.py::"
            "test_implied_volatility_is_ranked_on_all_its_sessions",
        ),
    ),
    Found("A", "dealers' positions of a file", "none", (f"{_PERIOD}::test_positions_cut_by_hand",)),
    Found(
        "B",
        "ingest of another currency, monthly rule or instrument into an underlying",
        "found",
        (
            f"{_MARKET}::test_lakes_made_under_two_rules_are_refused",
            f"{_LAKE_FACTS}::test_ingest_refuses_another_kind_and_says_what_changes",
        ),
    ),
    Found(
        "B",
        "rebuild --instrument and check against what the lake says",
        "found",
        (f"{_LAKE_FACTS}::test_options_of_commands_are_held_against_it",),
    ),
    Found(
        "B", "sessions on weekends that the calendar's library does not know", "none", (_HARNESS,)
    ),
    Found(
        "C",
        "curves of rates that grow by a day",
        "none",
        (
            "data/regimes/test_growing_curve.py::"
            "test_a_curve_that_grows_by_a_day_recomputes_that_day_alone",
        ),
    ),
    Found(
        "C",
        "positions of a file reach nightly's key",
        "none",
        (
            "reports/nightly/test_nightly.py::"
            "test_positions_of_a_file_are_rebuilt_and_revised_ones_run_again",
        ),
    ),
    Found(
        "C",
        "another configuration in the same folder of a night",
        "none",
        (
            "reports/nightly/test_nightly.py::test_another_configuration_in_the_same_folder_is_noticed",
        ),
    ),
    Found(
        "C",
        "trial_id of a grid was another digest than the ledger's and the tournament's",
        "found",
        ("backtest/tournament/test_tournament.py::test_entry_is_the_backtest_of_its_strategy",),
    ),
    Found(
        "D",
        "quartiles of magnitude were split otherwise than the deviations beside them",
        "found",
        (_HARNESS,),
    ),
    Found(
        "D",
        "the interval of one Sharpe ratio: normal in a tournament, Student's in a backtest",
        "found",
        (
            "backtest/tournament/test_tournament.py::test_entry_is_the_backtest_of_its_strategy",
            "backtest/tournament/test_tournament.py::"
            "test_intervals_of_columns_with_gaps_are_those_of_what_is_there",
        ),
    ),
    Found(
        "D",
        "values that differ by rounding: ties in one place, ranked in another",
        "found",
        ("backtest/hypotheses/test_ranks.py::test_gex_of_rounding_needs_data",),
    ),
    Found(
        "D",
        "a ruined strategy's figures: undefined on the page, in JSON and in a tournament alike",
        "none",
        (f"{_EARNED}::test_a_ruined_portfolio_has_no_figures_but_its_orders",),
    ),
    Found("E", "252 in surrogate books and in intervals", "found", (_CONSTANTS,)),
    Found(
        "E",
        "the normal 95 % quantile where `[inference] level` decides (tournament, lockbox)",
        "found",
        (_CONSTANTS,),
    ),
    Found("E", "constants in SQL, templates and scripts", "none", (_CONSTANTS,)),
    Found("E", "the hours of a session in intraday grids", "none", (_HARNESS,)),
    Found(
        "F",
        "twenty lines of a book given as all of them",
        "found",
        (
            "reports/cli/test_commands.py::test_explain_leads_to_contracts_and_definitions",
            "reports/cli/test_commands.py::test_a_table_cut_short_says_so",
        ),
    ),
    Found(
        "F",
        "a note that speaks of twenty rows over ten",
        "found",
        ("reports/cli/test_commands.py::test_a_table_cut_short_says_so",),
    ),
    Found(
        "F",
        "two intervals of one difference in the reason of momentum-split, neither named",
        "found",
        (f"{_HERE}::test_a_reason_has_one_interval_of_its_estimate",),
    ),
    Found(
        "F",
        "the level of grid, tournament and lockbox intervals was not stated",
        "found",
        ("backtest/tournament/test_tournament.py::test_entry_is_the_backtest_of_its_strategy",),
    ),
    Found(
        "F",
        "above 1 by 0 of 5 estimators, beside a ratio of 1.17: intervals were meant",
        "found",
        ("reports/page/test_verdict.py::test_the_estimator_is_chosen_before_the_result",),
    ),
    Found(
        "F",
        "sessions of a test and of a backtest: with GEX, and with a bar, both called sessions",
        "found",
        (
            "consistency/test_contradictions.py::"
            "test_the_terminal_names_each_hypothesis_that_needs_data",
        ),
    ),
    Found("F", "counts of trades against the rows of trades.parquet", "none", (_HARNESS,)),
)
