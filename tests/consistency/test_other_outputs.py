"""What grids, tournaments, the ledger, lockboxes and reports on data say: walked and compared.

`test_every_output_has_an_entry` walks every key of their JSON documents and every column of their
tables: a new one needs a line in `HELD`, with the test that holds it.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_markets import write_lake
from told_elsewhere import PLAIN

from gexlab.reports.cli import app as cli
from gexlab.reports.cli.app import build_app

TESTS = Path(__file__).resolve().parents[1]
_TOURNAMENT = "backtest/tournament/test_tournament.py"
_WRITES = f"{_TOURNAMENT}::test_tournament_writes_what_the_interface_says"
_ENTRY = f"{_TOURNAMENT}::test_entry_is_the_backtest_of_its_strategy"
_PLACEBO = f"{_TOURNAMENT}::test_corrected_placebo_p_by_hand"
_SURVIVES = f"{_TOURNAMENT}::test_survival_is_four_questions"
_SENTENCES = f"{_TOURNAMENT}::test_sentences"
_LOCKBOX = f"{_TOURNAMENT}::test_lockbox_keeps_sessions_out_of_everything_and_opens_once"
_CORRECTIONS = "backtest/tournament/test_corrections.py"
_SHARPE = "backtest/tournament/test_sharpe_tests.py"
_SKILL = "backtest/tournament/test_skill.py::test_track_record_and_false_discoveries_written_out"
_TRUTH = "backtest/run/test_running.py::test_a_market_beside_its_truth_is_simulated"
_GRID = "backtest/grid/test_grid.py"
_TRIAL = f"{_GRID}::test_every_trial_is_the_backtest_of_its_strategy"
_LEDGER = "backtest/tournament/test_ledger.py"
_HERE = "consistency/test_other_outputs.py"
_LAKES = "consistency/test_nights_and_lakes.py"
_SAME = f"{_HERE}::test_one_trial_has_one_set_of_figures"
_HABITS = f"{_HERE}::test_habits_of_an_entry_are_those_of_its_orders"
_COUNTS = f"{_HERE}::test_one_number_of_trials"
_INGEST = "data/ingest/test_ingest.py"
_MONTH = "data/exposure/test_chain_volatility.py"

#: Output to what holds it; patterns of `fnmatch`, the first that fits counts.
HELD: dict[str, str] = {
    # grid.json and trials.parquet
    "grid report": "text",
    "grid seconds": "clock",
    "grid level": _ENTRY,
    "grid best.*": f"{_GRID}::test_files",
    "grid best_by_luck": f"{_GRID}::test_files",
    "grid sentence": f"{_GRID}::test_files",
    "grid trials": _COUNTS,
    "grid computed": f"{_GRID}::test_only_what_changed_is_computed_again",
    "grid reused": f"{_GRID}::test_only_what_changed_is_computed_again",
    "grid duplicates": f"{_GRID}::test_equal_combinations_are_one_trial",
    "grid unrecorded": _WRITES,
    "grid simulated": _TRUTH,
    "grid underlyings": "text",
    "grid trials.parquet *": _TRIAL,
    # tournament.json and its trials.parquet
    "tournament report": "text",
    "tournament seconds": "clock",
    "tournament level": _ENTRY,
    "tournament entries.[].sharpe": _ENTRY,
    "tournament entries.[].sharpe_low": _ENTRY,
    "tournament entries.[].sharpe_high": _ENTRY,
    "tournament entries.[].sharpe_all": _ENTRY,
    "tournament entries.[].sharpe_inverse": f"{_HERE}::test_the_inverse_turns_gross_returns",
    "tournament entries.[].n": _ENTRY,
    "tournament entries.[].p_alone": f"{_CORRECTIONS}::test_spa_on_the_printed_matrix",
    "tournament entries.[].p_spa": f"{_CORRECTIONS}::test_spa_on_the_printed_matrix",
    "tournament entries.[].p_zero":
        f"{_CORRECTIONS}::test_stepdown_is_that_of_arch_on_scaled_columns_with_the_same_draws",
    "tournament entries.[].p_rules":
        f"{_CORRECTIONS}::test_stepdown_is_that_of_arch_on_scaled_columns_with_the_same_draws",
    "tournament entries.[].p_hold":
        f"{_CORRECTIONS}::test_stepdown_is_that_of_arch_on_scaled_columns_with_the_same_draws",
    "tournament entries.[].p_placebo*": _PLACEBO,
    "tournament entries.[].placebo_*": f"{_TOURNAMENT}::test_products_are_what_the_engine_trades",
    "tournament entries.[].dsr":
        f"{_SHARPE}::test_deflated_sharpe_of_2014",
    "tournament entries.[].q_value":
        f"{_SHARPE}::test_ranks_among_other_tests_against_statsmodels",
    "tournament entries.[].min_track_record": _SKILL,
    "tournament entries.[].false_discovery": _SKILL,
    "tournament entries.[].survives": _SURVIVES,
    "tournament entries.[].credited": _SURVIVES,
    "tournament entries.[].ruined": _SURVIVES,
    "tournament entries.[].sentence": _SENTENCES,
    "tournament entries.[].role": _WRITES,
    "tournament entries.[].break_even_bps": _HABITS,
    "tournament entries.[].turnover": _HABITS,
    "tournament entries.[].exposure": _HABITS,
    "tournament entries.[].in_market": _HABITS,
    "tournament entries.[].tilt": _HABITS,
    "tournament entries.[].*_leg": _HABITS,
    "tournament entries.[].late": _SAME,
    "tournament entries.[].undefined": _SAME,
    "tournament entries.[].fees_bps": _SAME,
    "tournament entries.[].slippage_bps": _SAME,
    "tournament entries.[].parameters.*": _SAME,
    "tournament entries.[].trial_id": _ENTRY,
    "tournament entries.[].arena": "text",
    "tournament entries.[].filter": "text",
    "tournament entries.[].rule": "text",
    "tournament entries.[].sizing": "text",
    "tournament trials": _COUNTS,
    "tournament ledger_trials": _COUNTS,
    "tournament effective_trials": f"{_LEDGER}::test_effective_trials_are_clusters",
    "tournament in_ledger": _WRITES,
    "tournament winner": _WRITES,
    "tournament sentence": _SENTENCES,
    "tournament luck": _COUNTS,
    "tournament best_by_luck": f"{_SHARPE}::test_spread_of_the_best_in_closed_form",
    "tournament detectable_sharpe": _SENTENCES,
    "tournament p_*": f"{_CORRECTIONS}::test_spa_on_the_printed_matrix",
    "tournament mcs": f"{_CORRECTIONS}::test_confidence_set_on_the_printed_matrix",
    "tournament pbo": f"{_CORRECTIONS}::test_overfitting_on_the_stream_of_the_r_package",
    "tournament overfitting*": f"{_CORRECTIONS}::test_overfitting_on_the_stream_of_the_r_package",
    "tournament haircut*": f"{_SHARPE}::test_haircut_of_harvey_and_liu",
    "tournament selections*": f"{_CORRECTIONS}::test_overfitting_of_a_real_strategy_and_by_hand",
    "tournament pairs*": f"{_CORRECTIONS}::test_difference_of_sharpe_ratios",
    "tournament breakdowns.*": f"{_HERE}::test_parts_of_an_entry_add_up",
    "tournament breakdowns": f"{_HERE}::test_parts_of_an_entry_add_up",
    "tournament first_session": f"{_HERE}::test_parts_of_an_entry_add_up",
    "tournament last_session": f"{_HERE}::test_parts_of_an_entry_add_up",
    "tournament sessions": _ENTRY,
    "tournament placebos": _WRITES,
    "tournament bootstrap": _WRITES,
    "tournament block": f"{_CORRECTIONS}::test_automatic_block_is_the_longest",
    "tournament lockbox*": _LOCKBOX,
    "tournament notices*": _LOCKBOX,
    "tournament simulated": _TRUTH,
    "tournament underlyings": "text",
    "tournament computed": f"{_TOURNAMENT}::test_a_killed_tournament_goes_on",
    "tournament reused": f"{_TOURNAMENT}::test_a_killed_tournament_goes_on",
    "tournament trials.parquet *": _SAME,
    # the ledger and the lockbox
    "ledger path": "text",
    "ledger trials": _COUNTS,
    "ledger deleted": f"{_LEDGER}::test_deleting_leaves_a_trace_and_the_count",
    "ledger effective_trials": f"{_LEDGER}::test_effective_trials_are_clusters",
    "ledger entries.[].metrics.*": _SAME,
    "ledger entries.[].recorded_at": "clock",
    "ledger entries.[].entry": f"{_LEDGER}::test_a_trial_is_recorded_once_and_keeps_its_number",
    "ledger entries.[].settings.*": _SAME,
    "ledger entries.[].*": _SAME,
    "ledger data.[].last_recorded": "clock",
    "ledger data.[].*": "reports/cli/test_ledger_command.py::test_counts_by_market_and_by_data",
    "ledger markets.[].*": "reports/cli/test_ledger_command.py::test_counts_by_market_and_by_data",
    "lockbox *": _LOCKBOX,
    "opened opened_at": "clock",
    "opened set_at": "clock",
    "opened found.trials.[].*": f"{_HERE}::test_an_opened_lockbox_is_a_backtest_of_its_sessions",
    "opened found.*": f"{_HERE}::test_an_opened_lockbox_is_a_backtest_of_its_sessions",
    "opened *": _LOCKBOX,
    # reports on data
    "verify *": "data/lake/test_verify.py::test_the_command",
    "inspect *": "field/test_inspect.py::test_the_command",
    "check .[].*": "reports/cli/test_commands.py::test_check_lists_findings",
    "ingest sessions": f"{_HERE}::test_one_number_of_sessions",
    "ingest rows_rejected": f"{_INGEST}::test_every_reject_is_counted_by_its_first_reason",
    "ingest files_unchanged": f"{_INGEST}::test_the_same_file_again_changes_nothing",
    "ingest dry_run": f"{_INGEST}::test_a_dry_run_counts_and_writes_nothing",
    "ingest rows_of_others": f"{_INGEST}::test_rows_of_other_underlyings_are_left_out_and_counted",
    "ingest rows_left_out": "field/test_kinds.py::test_a_shipped_map_takes_its_own_product_alone",
    "ingest rows_*": "reports/cli/test_commands.py::test_ingest_counts_rows",
    "ingest spots_implied": "field/test_implied_spot.py::"
    "test_every_output_says_that_the_spot_is_implied",
    "ingest without": "field/test_kinds.py::test_what_no_row_has_is_said",
    "ingest by_underlying*": "data/ingest/test_many.py::test_rejects_are_counted_by_name",
    "ingest volatilities_outside": f"{_INGEST}::test_impossible_volatilities_become_null",
    "ingest settings_unused": "data/ingest/test_many.py::test_what_is_assumed_of_whom",
    "ingest assumed*": "data/ingest/test_many.py::test_what_is_assumed_of_whom",
    "ingest changes":
        "backtest/run/test_lake_facts.py::test_ingest_refuses_another_kind_and_says_what_changes",
    "ingest others": f"{_INGEST}::test_rows_of_other_underlyings_are_left_out_and_counted",
    "ingest rejects*": f"{_INGEST}::test_every_reject_is_counted_by_its_first_reason",
    "ingest unmatched*": "field/test_kinds.py::test_a_join_without_any_match_is_refused",
    "ingest first_rows*": f"{_INGEST}::test_a_dry_run_counts_and_writes_nothing",
    "ingest files*": f"{_INGEST}::test_the_same_file_again_changes_nothing",
    "ingest ignored": f"{_INGEST}::test_the_same_file_again_changes_nothing",
    "cross-section market.[].*": "data/regimes/test_cross_section.py::test_the_market_by_hand",
    "cross-section names.[].*": "data/regimes/test_cross_section.py::test_names_by_hand",
    "cross-section sectors*":
        "data/regimes/test_cross_section.py::test_sectors_add_up_to_the_market",
    "cross-section hypotheses.[].*":
        "backtest/hypotheses/test_cross_section.py::test_a_planted_effect_is_found_and_none_is_not",
    "cross-section left_out.*":
        "backtest/hypotheses/test_cross_section.py::test_a_row_explains_the_next_session_by_hand",
    "cross-section *": "key",
    "components .[].parameters.*":
        "test_statements.py::test_components_are_those_that_the_command_lists",
    "components .[].*": "backtest/grid/test_own_components.py::test_a_scratch_package_is_listed",
    # side tables that only SQL shows
    "implied_volatility *_missing":
        "data/exposure/test_variance_swap.py::test_quotes_that_do_not_suffice_have_a_reason",
    "implied_volatility *_days": f"{_MONTH}::test_which_expirations_make_the_month",
    "implied_volatility *_30d": f"{_MONTH}::test_a_simulated_market_says_its_own_volatility",
    "implied_volatility *": "key",
}  # fmt: skip


def _said(*words: str) -> Any:
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        assert cli.run([*words, "--json"]) == 0, words
    return json.loads(out.getvalue())


CONFIG = """
[data]
lake = "lake"
underlying = "MKT"
instrument = "future"
bars = "bars.parquet"
{end}
[inference]
bootstrap = 100
level = 0.9
{rest}
"""
GRID = """
[grid]
filters = ["sign", { name = "percentile", window = 10 }]
rules = [{ long = "fade", short = "follow" }, { long = "hold", short = "flat" }]
fees_bps = [0, 2]
[tournament]
placebos = 20
folds = { train = 16, test = 8 }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trials")
    bars = write_lake(folder, "XNYS", sessions=44)
    day = f"{bars['session'].iloc[-11]:%Y-%m-%d}"
    box = GRID.replace("[tournament]", f"[tournament]\nlockbox = {day}")
    (folder / "run.toml").write_text(CONFIG.format(end="", rest=box), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def told(folder: Path) -> dict[str, Any]:
    """Return what each command says; the grid comes first, so that it computes."""
    file, lake = str(folder / "run.toml"), ["--lake", str(folder / "lake")]
    said = {
        "grid": _said("grid", file, "--out", str(folder / "grid")),
        "tournament": _said("tournament", file, "--out", str(folder / "tournament")),
        "ledger": _said("ledger", file),
        "lockbox": _said("lockbox", file),
        "verify": _said("verify", *lake),
        "inspect": _said("inspect", str(folder / "chains.csv")),
        "check": _said("check", *lake),
        "ingest": _said(
            "ingest", str(folder / "chains.csv"), "--vendor", "columns", "--map",
            str(folder / "map.toml"), "--underlying", "MKT", "--dry-run", "--lake",
            str(folder / "new"),
        ),
        "cross-section": _said("cross-section", *lake, "--test"),
        "components": _said("components"),
    }  # fmt: skip
    names = [e["trial_id"] for e in said["tournament"]["entries"][:2]]
    said["opened"] = _said("lockbox", file, "--open", names[0], "--open", names[1])
    (row,) = _said("sql", "SELECT * FROM implied_volatility LIMIT 1", *lake)
    said["implied_volatility"] = row
    return said


@pytest.fixture(scope="module")
def tables(folder: Path, told: dict[str, Any]) -> dict[str, pd.DataFrame]:
    return {
        name: pd.read_parquet(folder / name / "trials.parquet").set_index("trial_id")
        for name in ("grid", "tournament")
    }


@pytest.fixture(scope="module")
def whole(folder: Path, told: dict[str, Any]) -> pd.DataFrame:
    """Return equity and position of the main strategy on all sessions, once the box is open."""
    assert told["opened"]["opened_at"]
    (folder / "whole.toml").write_text(CONFIG.format(end="", rest=""), encoding="utf-8")
    _said("backtest", str(folder / "whole.toml"), "--out", str(folder / "whole"))
    equity = pd.read_parquet(folder / "whole" / "equity.parquet")
    return equity[equity["strategy"] == "fade-long-follow-short"].set_index("session")


def _leaves(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from _leaves(part, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value and isinstance(value[0], dict | list):
        for part in value:
            yield from _leaves(part, f"{path}.[]")
    else:
        yield path


def test_every_output_has_an_entry(told: dict[str, Any], tables: dict[str, pd.DataFrame]) -> None:
    names = {f"{name} {path}" for name, document in told.items() for path in _leaves(document)}
    names = {name.replace(" controls.[]", " entries.[]") for name in names}
    names |= {f"{n} trials.parquet {c}" for n, table in tables.items() for c in table.columns}
    patterns = [re.sub(r"\[\]", "[[]]", pattern) for pattern in HELD]
    new = [name for name in sorted(names) if not any(fnmatchcase(name, p) for p in patterns)]
    assert not new, "\n".join(new)


#: Commands whose documents `test_quantities.py` walks, and what holds those of the others.
WALKED = {
    "backtest", "check", "diff", "explain", "leakcheck", "nightly", "profile", "rebuild", "regimes",
    "sql", "test",
}  # fmt: skip
COMMANDS: dict[str, str] = {
    "demo": "reports/cli/test_demo.py::test_an_order_is_explained_back_to_its_contracts",
    "doctor": "reports/cli/test_cli.py::test_doctor_does_the_main_job_and_says_what_fails",
    "calibrate": "reports/page/test_calibration_page.py::test_the_command_writes_page_and_json",
    "simulate": "reports/cli/test_commands.py::test_simulate_prints_what_it_wrote",
    "snapshot": "data/ingest/test_collector.py::test_what_may_pass_is_tried_again",
    "cross-section": "reports/cli/test_many_commands.py::test_from_one_file_to_the_cross_section",
    "runs": f"{_LAKES}::test_the_archive_says_what_the_nights_wrote",
    "versions": f"{_LAKES}::test_versions_are_what_the_lake_holds_at_each",
    "vacuum": f"{_LAKES}::test_compact_and_vacuum_by_the_disk",
    "compact": f"{_LAKES}::test_compact_and_vacuum_by_the_disk",
    "migrate": "data/lake/test_housekeeping.py::test_migration_changes_no_value",
}


def test_every_command_is_walked(told: dict[str, Any]) -> None:
    names = {command.name for command in build_app().registered_commands}
    assert names == WALKED | set(COMMANDS) | (set(told) & names)


def test_what_holds_an_output_exists() -> None:
    for pattern, held in (*HELD.items(), *COMMANDS.items()):
        if held not in PLAIN:
            path, _, name = held.partition("::")
            source = (TESTS / path).read_text(encoding="utf-8")
            assert re.search(rf"^def {name}\(", source, re.MULTILINE), pattern


def _numbers(row: Any, names: tuple[str, ...]) -> list[float]:
    return [float("nan") if row[name] is None else float(row[name]) for name in names]


def test_one_trial_has_one_set_of_figures(
    told: dict[str, Any], tables: dict[str, pd.DataFrame]
) -> None:
    """Grid, tournament, their tables and the ledger, of every trial they share."""
    metrics = (
        "sharpe", "sharpe_low", "sharpe_high", "sharpe_error", "cagr", "volatility", "exposure",
        "max_drawdown", "turnover", "total_return", "trades", "break_even_bps", "n", "late",
        "undefined",
    )  # fmt: skip
    recorded = {entry["trial_id"]: entry for entry in told["ledger"]["entries"]}
    for trial_id, row in tables["grid"].iterrows():
        entry = recorded[str(trial_id)]
        assert _numbers(row, metrics) == pytest.approx(
            _numbers(entry["metrics"], metrics), nan_ok=True
        )
        assert entry["settings"]["fees_bps"] == row["fees_bps"]
        assert entry["underlying"] == "MKT"
    rows = [*told["tournament"]["entries"], *told["tournament"]["controls"]]
    assert {row["trial_id"] for row in rows} <= set(recorded)
    assert len(rows) == len(tables["tournament"])
    for row in rows:
        stored = tables["tournament"].loc[row["trial_id"]]
        for name, value in row.items():
            if (
                name in stored.index
                and isinstance(value, int | float)
                and not isinstance(value, bool)
            ):
                assert float(stored[name]) == pytest.approx(value)
    for row in told["tournament"]["entries"]:
        whole = tables["grid"].loc[row["trial_id"]]
        assert row["sharpe_all"] == pytest.approx(whole["sharpe"])
        assert row["fees_bps"] == whole["fees_bps"]
        assert row["in_market"] <= 1.0
        assert abs(row["tilt"]) <= row["exposure"] <= 1.0


def test_one_number_of_trials(told: dict[str, Any], tables: dict[str, pd.DataFrame]) -> None:
    assert told["grid"]["trials"] == len(tables["grid"]) == 8
    assert told["grid"]["best"]["sharpe"] == tables["grid"]["sharpe"].max()
    held = told["tournament"]
    assert held["trials"] == len(held["entries"]) + len(held["controls"])
    counted = {held["ledger_trials"], told["ledger"]["trials"], held["trials"]}
    assert len(counted) == 1
    assert f"{held['ledger_trials']} trials" in held["luck"]
    page = [len(told["ledger"]["entries"]), sum(m["trials"] for m in told["ledger"]["markets"])]
    assert page == [held["trials"]] * 2


def test_one_number_of_sessions(told: dict[str, Any], folder: Path) -> None:
    known = pd.read_csv(folder / "chains.csv")["session"].nunique()
    for sessions in (
        told["verify"]["sessions"], told["ingest"]["sessions"],
        told["inspect"]["sessions"],
    ):  # fmt: skip
        count = sessions if isinstance(sessions, int) else len(sessions)
        assert count == known, sessions


def test_an_opened_lockbox_is_a_backtest_of_its_sessions(
    told: dict[str, Any], whole: pd.DataFrame
) -> None:
    """Returns of the locked sessions, of the strategy traded over all of them, by pandas."""
    found = told["opened"]["found"]
    assert found["level"] == 0.9
    assert told["lockbox"]["start"] == told["opened"]["start"] <= found["first_session"]
    inside = whole["equity"].pct_change().loc[found["first_session"] : found["last_session"]]
    assert found["sessions"] == len(inside)
    own = inside.mean() / inside.std(ddof=1) * 252**0.5
    free = next(t for t in found["trials"] if "fade" in t["rule"])
    assert free["sharpe"] == pytest.approx(own)
    assert free["low"] < own < free["high"]
    assert f"the {found['sessions']} sessions" in found["sentence"]


def test_parts_of_an_entry_add_up(told: dict[str, Any]) -> None:
    """Each dimension's groups hold all sessions of the tests, and all of the profit."""
    held = told["tournament"]
    assert held["first_session"] < held["last_session"]
    by_id = {row["trial_id"]: row for row in held["entries"]}
    for part in held["breakdowns"]:
        groups = pd.DataFrame(part["groups"])
        n = by_id[part["trial_id"]]["n"]
        for dimension, rows in groups.groupby("dimension"):
            if dimension in ("era", "position"):
                assert rows["sessions"].sum() == n, dimension
                shares = rows["share_of_profit"].dropna()
                if len(shares) == len(rows):
                    assert shares.sum() == pytest.approx(1.0)
        low, high = part["interval_plain"]
        assert low < by_id[part["trial_id"]]["sharpe"] < high


def test_the_inverse_turns_gross_returns(told: dict[str, Any]) -> None:
    """Without costs the opposite positions have the opposite Sharpe ratio."""
    free = [e for e in told["tournament"]["entries"] if e["fees_bps"] == 0]
    assert free
    for entry in free:
        assert entry["sharpe_inverse"] == pytest.approx(-entry["sharpe"])


def test_habits_of_an_entry_are_those_of_its_orders(
    told: dict[str, Any], whole: pd.DataFrame
) -> None:
    """Exposure, legs and break-even cost on the sessions of the tests, by pandas."""
    entry = next(
        e
        for e in told["tournament"]["entries"]
        if "sign" in e["filter"] and "fade" in e["rule"] and e["fees_bps"] == 0
    )
    held = told["tournament"]
    tests = whole.assign(gain=whole["equity"].pct_change())
    tests = tests.loc[held["first_session"] : held["last_session"]]
    assert len(tests) == entry["n"]
    position, gain = tests["position"], tests["gain"]
    assert entry["exposure"] == pytest.approx(position.abs().mean())
    assert entry["in_market"] == pytest.approx((position != 0).mean())
    assert entry["tilt"] == pytest.approx(position.mean())
    assert entry["long_leg"] == pytest.approx(gain[position > 0].sum())
    assert entry["short_leg"] == pytest.approx(gain[position < 0].sum())
    if entry["break_even_bps"] is not None:
        orders = gain.sum() / (entry["turnover"] * len(tests) / 252)
        assert entry["break_even_bps"] == pytest.approx(1e4 * orders, rel=0.02)
