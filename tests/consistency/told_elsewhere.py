"""Outputs that the table of quantities does not hold, each with what holds it instead.

A pattern (of `fnmatch`, with ``[]`` meant literally) to the test that holds it, or to a word of
`PLAIN`.
"""

from __future__ import annotations

#: Why an output needs no second opinion.
PLAIN = {
    "text": "a name, heading or sentence without a figure of its own",
    "clock": "of the machine and the moment of the run",
    "key": "names the row that the other columns are about",
    "same": "the same value as another output, which is held; a twin compares the documents whole",
}
_INTERVAL = "backtest/statistics/test_sharpe_intervals.py::test_intervals_are_the_twins"
_TWIN = "data/exposure/test_engine_against_twin.py"
_STRUCTURE = "data/exposure/test_structure.py"
_PARTS = "data/regimes/test_attribution.py::test_parts_add_up_on_anything"
_PAIRS = "backtest/run/test_comparing.py::test_returns_are_those_of_a_plain_loop"
_DIAGNOSED = "backtest/statistics/test_diagnostics.py::test_groups_by_hand"

ELSEWHERE: dict[str, str] = {
    # results.json
    "results.json *.high": _INTERVAL,
    "results.json no_interval.*": (
        "backtest/statistics/test_intervals.py::"
        "test_too_few_sessions_have_no_interval_but_a_reason"
    ),
    "results.json *.low": _INTERVAL,
    "results.json strategies.*_high": _INTERVAL,
    "results.json strategies.*_low": _INTERVAL,
    "results.json strategies.*.sharpe_error":
        "backtest/statistics/test_sharpe_intervals.py::test_the_standard_error_of_a_sharpe_ratio",
    "results.json strategies.*.break_even_bps":
        "backtest/run/test_running.py::test_at_the_break_even_cost_nothing_is_left",
    "results.json strategies.*.by_regime.*.exposure":
        "backtest/execution/test_performance.py::test_regimes_add_up_to_the_whole",
    "results.json strategies.*.hit_rate": "backtest/statistics/test_metrics.py::test_hit_rate",
    "results.json strategies.*.role":
        "backtest/run/test_one_answer.py::test_controls_always_run",
    "results.json strategies.*.spec.*": "strategies/test_rules.py::test_the_built_in_strategies",
    "results.json strategies.*.by_regime.abstain.*":
        "backtest/execution/test_performance.py::test_regimes_add_up_to_the_whole",
    "results.json *.abstain.*":
        "backtest/statistics/test_volatility_by_regime.py::"
        "test_every_estimate_has_the_n_of_its_own_estimator_horizon_and_regimes",
    "results.json autocorrelation.neutral.*":
        "backtest/statistics/test_volatility_by_regime.py::test_autocorrelation_by_hand_and_by_construction",
    "results.json range_efficiency.*":
        "backtest/statistics/test_volatility_by_regime.py::"
        "test_every_estimate_has_the_n_of_its_own_estimator_horizon_and_regimes",
    "results.json execution.cash":
        "backtest/run/test_config.py::test_defaults_are_the_documented_ones",
    "results.json execution.fill":
        "backtest/run/test_config.py::test_default_fill_by_instrument",
    "results.json execution.engine": "text",
    **dict.fromkeys(
        (
            f"results.json execution.{key}"
            for key in (
                "half_spread", "cash_rate", "financing_rate", "borrow_rate", "dividends", "lot",
                "stop_loss", "take_profit", "max_holding", "max_leverage",
            )
        ),
        "backtest/run/test_trading_terms.py::test_the_terms_of_a_configuration_are_those_of_its_run",
    ),
    "results.json notices.*": "same",
    "results.json provenance.created_at": "clock",
    "results.json provenance.seconds": "clock",
    "results.json provenance.*": "same",
    "results.json regime.band": "backtest/run/test_lake_run.py::test_another_band_relabels",
    "results.json regime.known": "text",
    "results.json regime.name": "text",
    "results.json regime.source": "text",
    "results.json vix_return_sd_by_quantile":
        "backtest/hypotheses/test_published_numbers.py::test_quartiles_by_vix",
    # tables in Parquet
    "*.parquet strategy": "key",
    "*.parquet session": "key",
    "regimes.parquet underlying": "key",
    "regimes.parquet book": "key",
    "regimes.parquet dealer_model": "key",
    "regimes.parquet definition_id": "key",
    "regimes.parquet source_fingerprint":
        "data/lake/test_lake.py::test_fingerprint_is_the_stated_hash_of_the_values",
    "regimes.parquet definition_agreement": f"{_TWIN}::test_regime_rows",
    "regimes.parquet flip*": f"{_TWIN}::test_regime_rows",
    "regimes.parquet n_roots": f"{_TWIN}::test_roots_with_direction_and_slope",
    "orders.parquet decision_ts":
        "backtest/execution/test_performance.py::"
        "test_an_order_is_decided_when_its_last_input_is_known",
    "orders.parquet target": "backtest/run/test_running.py::test_positions_by_hand",
    "orders.parquet label":
        "backtest/execution/test_performance.py::"
        "test_an_order_carries_the_sessions_regime_and_the_filters_own_label",
    "orders.parquet size": "same",
    "ledger.parquet *": "reports/cli/test_audit.py::test_every_sum_can_be_done_again",
    "inputs.parquet *": "reports/cli/test_audit.py::test_what_was_read_decides_what_was_wanted",
    "trades.parquet *": "backtest/execution/test_engine.py::test_a_hand_calculation",
    # the other documents
    "profile regime.*": "same",
    "explain regime.*": "same",
    "explain roots.*": "same",
    "explain expiries.*": "same",
    "profile roots.*": f"{_TWIN}::test_roots_with_direction_and_slope",
    "profile profile.*": f"{_TWIN}::test_profile_at_every_level",
    "profile strikes.*": f"{_TWIN}::test_sums_by_expiry_and_by_strike",
    "profile expiries.*": f"{_TWIN}::test_sums_by_expiry_and_by_strike",
    "profile out": "text",
    "fact 30-day volatility": "data/exposure/test_chain_volatility.py::test_spx_against_vix",
    "fact Expected move": "data/exposure/test_chain_volatility.py::test_the_expected_move_by_hand",
    "explain implied.*": "data/exposure/test_chain_volatility.py::test_spx_against_vix",
    "profile implied.*": "data/exposure/test_chain_volatility.py::test_spx_against_vix",
    "explain out": "text",
    "explain change.*": _PARTS,
    "explain contracts.*":
        "reports/cli/test_commands.py::test_explain_leads_to_contracts_and_definitions",
    "explain definitions.*":
        "reports/cli/test_commands.py::test_explain_leads_to_contracts_and_definitions",
    "explain findings.*":
        "data/regimes/test_rebuild.py::test_every_rejected_contract_is_in_a_finding",
    "explain decisions.*":
        "reports/cli/test_demo.py::test_an_order_is_explained_back_to_its_contracts",
    "explain decisions":
        "reports/cli/test_demo.py::test_an_order_is_explained_back_to_its_contracts",
    "explain time_structure.after_next_expiration*":
        f"{_STRUCTURE}::test_book_after_the_next_expiration",
    "explain time_structure.after_next_monthly*": f"{_STRUCTURE}::test_book_after_the_next_monthly",
    "explain time_structure.decay*": f"{_STRUCTURE}::test_decay",
    "explain time_structure.zero_dte*": f"{_STRUCTURE}::test_0dte_alone",
    "explain time_structure.today*": f"{_STRUCTURE}::test_decay",
    "explain time_structure.by_expiry*": f"{_STRUCTURE}::test_by_expiry_and_roll_off",
    "explain time_structure.roll_off*": f"{_STRUCTURE}::test_by_expiry_and_roll_off",
    "diff rows.*": _PAIRS,
    "diff rows": _PAIRS,
    "diff transitions*": "backtest/run/test_comparing.py::test_only_the_band_changes_labels",
    "diff bars*": "reports/cli/test_daily_bars.py::test_diff_prices_nothing_with_a_bad_close",
    "profile findings*": "reports/cli/test_missing_carry.py::test_one_session",
    "nightly carry*": "reports/cli/test_missing_carry.py::test_runs_and_nights",
    "diff priced_with": "backtest/run/test_comparing.py::test_closes_may_come_from_bars",
    "diff second_id": "backtest/run/test_comparing.py::test_only_the_band_changes_labels",
    "diff unpriced": "backtest/execution/test_holes.py::"
        "test_diff_trades_neither_over_holes_nor_at_refused_spots",
    "leakcheck checked": "backtest/leaks/test_leaks.py::test_a_clean_configuration_has_none",
    "leakcheck leaks*": "backtest/leaks/test_leaks.py::test_a_clean_configuration_has_none",
    "nightly *seconds": "clock",
    "nightly made_again":
        "reports/nightly/test_nightly.py::test_why_a_session_has_another_night",
    "nightly report": "text",
    "nightly replay": "reports/nightly/test_replay.py::test_a_replay_gives_the_same_bytes",
    "nightly folder": "text",
    "nightly content_id":
        "reports/nightly/test_nightly.py::test_everything_that_a_report_depends_on_is_in_its_key",
    "nightly status": "reports/nightly/test_nightly.py::test_nothing_is_done_twice",
    "nightly exit_code": "reports/nightly/test_nightly.py::test_nothing_is_done_twice",
    "nightly steps.*": "reports/nightly/test_nightly.py::test_nothing_is_done_twice",
    "nightly alerts*":
        "reports/nightly/test_nightly.py::test_stale_refused_and_missing_data_are_said_first",
    "nightly put_aside*": "reports/nightly/test_nightly.py::test_what_cannot_be_read_is_put_aside",
    "nightly summary": "reports/nightly/test_night_parts.py::test_the_line_for_a_mail",
    "nightly ran": "reports/nightly/test_nightly.py::test_nothing_is_done_twice",
    "nightly snapshot": "reports/nightly/test_nightly.py::test_what_is_new_comes_in",
    "nightly ingested*": "reports/nightly/test_nightly.py::test_what_is_new_comes_in",
    "nightly rebuilt.*": "reports/nightly/test_nightly.py::test_nothing_is_done_twice",
    "rebuild seconds": "clock",
    "rebuild definition_id": "same",
    "rebuild *": "data/regimes/test_rebuild.py::test_second_rebuild_computes_nothing",
    "test [].seconds": "clock",
    "test [].low": _INTERVAL,
    "test [].high": _INTERVAL,
    "test [].tables*": "backtest/hypotheses/test_published_numbers.py::test_sharpe_ratios_by_fill",
    "test [].published*": "backtest/hypotheses/test_hypotheses.py::test_every_card_is_complete",
    "test [].also_published*":
        "backtest/hypotheses/test_hypotheses.py::test_every_card_is_complete",
    "test [].q_value":
        "backtest/hypotheses/test_kill_conditions.py::"
        "test_q_is_made_of_the_p_that_is_printed",
    "test [].romano_wolf":
        "backtest/statistics/test_multiple.py::test_stepdown_keeps_the_familywise_error",
    "test [].p_stepdown":
        "backtest/statistics/test_multiple.py::test_stepdown_speaks_of_the_tests_own_p",
    "test [].verdict":
        "backtest/hypotheses/test_kill_conditions.py::test_each_kill_condition_alone_refuses_the_claim",
    "test [].*": "backtest/hypotheses/test_run.py::test_the_file_says_the_same_as_the_dataset",
    # the page
    "fact Data quality": "text",
    "fact Error band of net GEX": "data/exposure/test_noise.py::test_against_draws",
    "fact Costs": "reports/page/test_page.py::test_golden_report",
    "fact Fills": "reports/page/test_page.py::test_golden_report",
    "fact Regime from": "text",
    "note *": "reports/page/test_page.py::test_golden_report",
    "figure fig-coverage *": "reports/page/test_page.py::test_golden_report",
    "figure fig-equity drawdown": "reports/page/test_page.py::test_golden_report",
    "figure fig-profile *": f"{_TWIN}::test_profile_at_every_level",
    "figure fig-quantiles without any dealers (S0)":
        "backtest/hypotheses/test_run.py::test_null_market_has_the_famous_table_without_a_dealer",
    "figure fig-regime *": "reports/page/test_page.py::test_golden_report",
    "figure fig-volatility *": "same",
    "figure fig-map *": "reports/page/test_maps.py::test_strike_by_expiry_by_hand",
    "figure fig-what-if *": "reports/page/test_maps.py::test_moves_by_sessions_by_hand",
    "table tab-what-if *": "data/regimes/test_what_if.py::test_one_option_by_hand",
    "figure fig-spans *": "reports/page/test_maps.py::test_spans_and_expiries_by_hand",
    "figure fig-expiries *": "reports/page/test_maps.py::test_spans_and_expiries_by_hand",
    "table tab-expiries *": "reports/page/test_maps.py::test_spans_and_expiries_by_hand",
    "figure fig-decay *": "data/exposure/test_structure.py::test_decay",
    "table tab-future *": "data/exposure/test_structure.py::test_book_after_the_next_expiration",
    "table tab-roll-off *": "data/exposure/test_structure.py::test_by_expiry_and_roll_off",
    "table tab-diagnostics *": _DIAGNOSED,
    "figure fig-months *": "reports/page/test_returns.py::test_months_by_hand",
    "table tab-months *": "reports/page/test_returns.py::test_months_by_hand",
    "figure fig-rolling *":
        "backtest/statistics/test_tear_sheet.py::test_rolling_is_that_of_each_window",
    "figure fig-distribution *":
        "reports/page/test_returns.py::test_drawdowns_and_tails_are_those_of_the_sheet",
    "table tab-drawdowns *": "backtest/statistics/test_tear_sheet.py::test_drawdowns_by_hand",
    "table tab-sheet *": "backtest/statistics/test_tear_sheet.py::test_a_sheet_by_hand",
    "table tab-tails *": "backtest/statistics/test_tear_sheet.py::test_a_sheet_by_hand",
}  # fmt: skip

#: Columns of tables whose cells the quantities hold row by row, and those that only name rows.
CELLS = {
    "tab-autocorrelation": {"Regime", "Lag 1", "Sessions"},
    "tab-by-regime": {"Regime at the decision", "Sessions", "Exposure mean",
                      "Mean return bp a session", "Sharpe", "Total return"},
    "tab-definitions": {"Word", "Meaning here"},
    "tab-diagnostics": {"Measure", "Short", "Long", "Difference", "Effect s.d.",
                        "Sessions short / long", "Meaning"},
    "tab-efficiency": {"Regime", "Efficiency", "Sessions"},
    "tab-lake-findings": {"Check", "Severity", "Sessions", "First", "Last", "The first one"},
    "tab-magnitude": {"Quartile of net GEX", "Mean net GEX per 1 %",
                      "Change of volatility by hedging alone", "S.d. of next return % a day"},
    "tab-next": {"Book", "Net GEX per 1 %", "Net / gross", "Regime", "Flip points"},
    "tab-worth": {"Regime", "Next volatility a year", "Sessions", "Mean return bp a session",
                  "Sharpe"},
    "tab-metrics": {"Strategy", "Sharpe", "CAGR", "Volatility a year", "Max. drawdown",
                    "Turnover \N{MULTIPLICATION SIGN} a year", "Exposure mean", "Trades",
                    "Break-even bp a side"},
    "tab-provenance": {"Item", "Value"},
    "tab-quality": {"Finding", "Severity", "Count", "What it means"},
    "tab-quantiles": {"Sorted", "1 (lowest)", "2", "3", "4 (highest)"},
    "tab-ratios": {"Estimator", "same session", "next session", "next 5"},
    "tab-regimes": {"Regime", "Sessions", "Share"},
    "tab-trades": {"Opened", "Closed", "Regime", "Direction", "Shares", "Entry points",
                   "Exit points", "Fees", "Result", "Return"},
    "tab-volatility": {"Estimator", "Regime", "same session a year", "next session a year",
                       "next 5 a year", "Sessions"},
    "tab-years": {"Year", "Share"},
}  # fmt: skip
