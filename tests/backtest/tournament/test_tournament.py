"""The tournament: placebos as the engine trades them, survival as it is defined, all counted."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace as Made
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.execution.costs import FREE, Costs
from gexlab.backtest.grid.columns import books_of, ground_of, planned
from gexlab.backtest.grid.grid import grid
from gexlab.backtest.hypotheses.test import test as hypotheses
from gexlab.backtest.run.backtest import backtest
from gexlab.backtest.run.load_config import load_config
from gexlab.backtest.run.load_market import load_market
from gexlab.backtest.run.panel import market_panel
from gexlab.backtest.statistics.resampling import Resampling
from gexlab.backtest.statistics.sharpe_intervals import return_intervals, sharpe_intervals
from gexlab.backtest.tournament import contest as contest_module
from gexlab.backtest.tournament import judgement, keeping
from gexlab.backtest.tournament.arena import (
    Arena,
    Entry,
    _facts,
    alone,
    fills_of,
    legs_of,
    wanted_by_label,
)
from gexlab.backtest.tournament.beyond import Pair
from gexlab.backtest.tournament.clouds import _table, labels_outside, legs_outside
from gexlab.backtest.tournament.counting import ledger
from gexlab.backtest.tournament.folds import Fold
from gexlab.backtest.tournament.judgement import (
    Field,
    _against_rules,
    _in_set,
    _overfitting,
    padded,
    sharpe_errors,
)
from gexlab.backtest.tournament.opening import lockbox
from gexlab.backtest.tournament.placebos import held_against, paths, placebo_labels, ratios
from gexlab.backtest.tournament.rows import _verdict
from gexlab.backtest.tournament.tournament import _spans, tournament
from gexlab.backtest.tournament.verdicts import entry_sentence, survives, whole_sentence
from gexlab.data.base.errors import ConfigError, LedgerError, UnknownNameError
from gexlab.reports.cli.app import run
from gexlab.reports.page.grid_page import write_grid_page
from gexlab.reports.page.tournament_page import write_tournament_page
from gexlab.strategies.component import Filter, Past
from gexlab.strategies.model import Strategy
from gexlab.strategies.panel import Column
from gexlab.strategies.rules.returns import Fade, Flat, Follow
from gexlab.strategies.sizings.basic import Fixed, TurnoverLimit, VolatilityTarget

MakeMarket = Callable[..., Path]
ROOT = Path(__file__).parents[3]

GRID = """
[grid]
filters = ["sign", { name = "percentile", window = 63 }]
rules = [{ long = "fade", short = "follow" }, { long = "hold", short = "flat" }]
fees_bps = [0, 2]
[tournament]
placebos = 30
folds = { train = 100, test = 60 }
"""
LEDGER = '\n[ledger]\npath = "ledger"\n'


class Replayed(Filter):
    """Labels that stand in a column."""

    on: str = "placebo.0"

    def inputs(self) -> dict[str, Past]:
        """Read the column."""
        return {"code": Past(self.on)}

    def labels(self, code: np.ndarray) -> np.ndarray:
        """Return it."""
        return code[:, -1]


@pytest.mark.parametrize("fill", ["next_open", "next_close"])
def test_products_are_what_the_engine_trades(make_market: MakeMarket, fill: Any) -> None:
    """200 placebos: positions times returns less cost times turnover, against vectorbt."""
    config = load_config(make_market(sessions=260))
    market = load_market(config)
    panel = market_panel(market)
    ground = ground_of(market, panel, fill)
    real = ground.evaluation.labels(Strategy("main").filter).values
    codes = placebo_labels(np.maximum(real, 0).astype(np.int8), 100, 3)
    never = panel.columns["close"].known_at
    wider = panel.with_columns(
        Column(f"placebo.{b}", row.astype(np.float64), never) for b, row in enumerate(codes)
    )
    ground = ground_of(market, wider, fill)
    legs = legs_of(ground)
    for sizing in (Strategy("main").sizing, VolatilityTarget()):
        made = [Strategy("p", Replayed(f"placebo.{b}"), sizing=sizing) for b in range(len(codes))]
        orders = planned(made, ground)
        late = np.array([fills_of(ground, ground.evaluation.labels(s.filter).values[:, None], -1.0)
                         for s in made])[:, :, 0].astype(np.int8)  # fmt: skip
        wanted = wanted_by_label(Strategy("main", sizing=sizing), ground)
        for costs in (FREE, Costs(fees_bps=5.0)):
            engine = books_of(orders, ground, costs, 1e6).returns
            mine = paths(late, wanted, legs, costs.fees_bps / 1e4)[:, 1:]
            # to rounding without costs; with them the rest is of second order: the fee of turning
            # over (10 bp) moves the position by as much of itself
            most = 1e-12 if costs.free else 2 * 2 * 5e-4 * np.abs(legs.before + legs.after).max()
            assert np.abs(engine - mine).max() <= most
            # Sharpe ratios of one and the other
            found = ratios(late, wanted[None], legs, [costs.fees_bps / 1e4])[:, 0, 0]
            theirs = engine.mean(axis=1) / engine.std(axis=1, ddof=1)
            assert np.abs(found - theirs).max() < 2e-4


def test_placebos_have_the_habits_of_the_filter() -> None:
    rng = np.random.default_rng(5)
    labels = np.empty(4_000, dtype=np.int8)
    state = 1
    for t in range(len(labels)):
        if rng.random() < (0.05 if state == 1 else 0.15):
            state = 3 - state
        labels[t] = state
    drawn = placebo_labels(labels, 90, 1)
    share, switches = (labels == 1).mean(), (np.diff(labels) != 0).mean()
    assert np.mean(drawn == 1) == pytest.approx(share, abs=0.02)
    assert np.mean(np.diff(drawn, axis=1) != 0) == pytest.approx(switches, rel=0.05)
    for b in range(90):
        if b % 3:  # shifts and shuffles have the very same labels
            assert (drawn[b] == 1).sum() == (labels == 1).sum()
        agree = abs(np.corrcoef(drawn[b], labels)[0, 1])
        assert agree < 0.5
    assert np.array_equal(drawn, placebo_labels(labels, 90, 1))
    assert not np.array_equal(drawn, placebo_labels(labels, 90, 2))


def test_corrected_placebo_p_by_hand() -> None:
    # two entries, four draws; clouds have mean 0 and deviation 1: z are the values themselves
    clouds = np.array([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
    found = held_against(np.array([1.5, 0.5]), clouds)
    assert found.p_alone.tolist() == [1 / 5, 3 / 5]
    # the best of each draw: 1, 1, 1, -1
    assert found.p_corrected.tolist() == [1 / 5, 4 / 5]
    # a regime that never switches cannot be told from its placebos
    flat = held_against(np.array([0.7]), np.full((4, 1), 0.7))
    assert flat.p_corrected.tolist() == [1.0]


def test_survival_is_four_questions() -> None:
    good = (0.05, 0.05, 0.05, 0.05)
    assert survives("entry", *good, ruined=False)
    for k in range(4):
        for bad in (0.0501, float("nan")):
            ps = [*good[:k], bad, *good[k + 1 :]]
            assert not survives("entry", *ps, ruined=False)
    assert not survives("control", *good, ruined=False)
    assert not survives("entry", *good, ruined=True)


@dataclass(frozen=True)
class _Entry:
    sharpe: float
    survives: bool = False
    filter: str = "sign"
    rule: str = "fade"


@pytest.mark.parametrize(
    ("survived", "pairs", "wanted"),
    [
        (True, [], None),  # nothing without options to compare with
        (True, [(0.05, 0.05, 1.0), (0.01, 0.01, 1.0)], True),
        (True, [(0.05, 0.05, 1.0), (0.0501, 0.01, 1.0)], False),  # one filter is as good
        (True, [(0.01, 0.0501, 1.0)], False),  # its label tells nothing more
        (True, [(0.01, 0.01, -1.0)], False),
        (True, [(0.01, float("nan"), float("nan"))], False),
        (False, [(0.01, 0.01, 1.0)], False),
    ],
)
def test_credit_needs_every_filter_without_options(
    survived: bool, pairs: list[tuple[float, float, float]], wanted: bool | None
) -> None:
    nan = float("nan")
    made = [
        Pair("a", "b", "vix", 0.1, 0.1, p, nan, nan, nan, nan, slope, 2.0, slope_p)
        for p, slope_p, slope in pairs
    ]
    one = np.array([0.01 if survived else 0.2])
    judgement: Any = Made(p_zero=one, p_rules=one, p_hold=one, sharpe=one, p_spa=one)
    trial: Any = Made(entry=Made(role="entry", trial_id="a"), k=0, ruined=False)
    credit = {"a": [pair.credited for pair in made]} if made else {}
    found = _verdict(trial, judgement, 0.01, credit, 3)
    assert (found.survives, found.credited) == (survived, wanted)


def test_sentences() -> None:
    said = whole_sentence([_Entry(0.61), _Entry(0.2)], 480, 0.74, 1.2)  # type: ignore[list-item]
    assert said == (
        "None of 480 strategies on these data is distinguishable from luck; the best has Sharpe "
        "0.61, of 480 blind ones the best would have 0.74. The smallest Sharpe ratio that these "
        "data could have shown (power 80 %) is 1.20."
    )
    won = whole_sentence([_Entry(1.4, True), _Entry(1.6)], 1_000, 0.9, 1.2)  # type: ignore[list-item]
    assert won.startswith("One of 1,000 strategies on these data is distinguishable from luck;")
    assert "has Sharpe 1.40, of 1,000 blind ones the best would have 0.90" in won
    none = entry_sentence(
        float("nan"), 0.5, (1, 1, 1, 1), counted=3, ruined=False, survived=False, credited=None
    )
    assert none == "It has no Sharpe ratio out of sample: its returns do not vary."


def test_columns_with_gaps_keep_their_means_and_errors() -> None:
    rng = np.random.default_rng(2)
    whole = rng.normal(0.001, 0.01, (600, 1))
    gappy = np.full((1_000, 1), np.nan)
    gappy[200:800] = whole
    filled = padded(gappy)
    assert filled.mean() == pytest.approx(whole.mean(), rel=1e-12)
    # error of the mean as of 600 independent sessions: deviation over root n
    assert filled.std() / np.sqrt(1_000) == pytest.approx(whole.std() / np.sqrt(600), rel=1e-9)
    ratio, error = sharpe_errors(gappy, 1.0)
    assert ratio[0] == pytest.approx(whole.mean() / whole.std(ddof=1))
    assert error[0] == pytest.approx(1 / np.sqrt(600), rel=0.05)


def test_intervals_of_columns_with_gaps_are_those_of_what_is_there() -> None:
    rng = np.random.default_rng(6)
    returns = rng.normal(0.001, 0.01, (300, 3))
    returns[::7, 1] = np.nan
    returns[:295, 2] = np.nan
    low, high = sharpe_intervals(returns, 0.9, 252)
    for k in (0, 1):
        part = returns[np.isfinite(returns[:, k]), k]
        own = return_intervals(part[:, None], Resampling(level=0.9), year=252)[0].sharpe
        assert (low[k], high[k]) == own
    assert np.isnan([low[2], high[2]]).all()  # five returns are too few


def test_tournament_writes_what_the_interface_says(
    make_market: MakeMarket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = make_market(sessions=400, strategies=GRID + LEDGER)
    assert run(["tournament", str(config), "--out", str(tmp_path / "out"), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    written = json.loads((tmp_path / "out" / "tournament.json").read_text(encoding="utf-8"))
    assert {k: v for k, v in shown.items() if k != "report"} == written
    assert len(written["entries"]) == 8
    assert written["trials"] == 8 + len(written["controls"])
    # counted before it was shown, and nothing twice
    assert written["ledger_trials"] == ledger(tmp_path / "ledger").trials == written["trials"]
    assert 1 <= written["effective_trials"] <= written["trials"]
    # no number of draws shows a p of 0
    least = 1 / (written["bootstrap"] + 1)
    for entry in written["entries"]:
        assert min(entry[p] for p in ("p_alone", "p_zero", "p_rules", "p_hold")) >= least * 0.999
    names = {e["filter"] for e in written["controls"]}
    assert {"every session alike", "sign of the regime"} <= names
    rules = {e["rule"] for e in written["controls"]}
    assert {"flat", "hold", "fade 1 session by sign", "follow 1 session by sign"} <= rules
    for entry in written["entries"]:
        ps = [entry[k] for k in ("p_zero", "p_rules", "p_hold", "p_placebo")]
        assert entry["survives"] is all(p is not None and p <= 0.05 for p in ps)
        assert entry["p_placebo"] >= entry["p_placebo_alone"] - 1e-12
    winners = [e for e in written["entries"] if e["survives"]]
    best = max(winners, key=lambda e: e["sharpe"], default=None)
    assert written["winner"] == (None if best is None else best["trial_id"])
    table = pd.read_parquet(tmp_path / "out" / "trials.parquet")
    assert len(table) == written["trials"]
    assert {"filter", "filter.on", "long", "short", "long.lookback", "fill", "fees_bps"} <= set(
        table
    )
    page = (tmp_path / "out" / "tournament.html").read_text(encoding="utf-8")
    assert "distinguishable from luck" in page
    assert not list((tmp_path / "out").glob(".gexlab*"))
    # again: the same trials on the same data count once
    assert tournament(config).ledger_trials == written["trials"]
    # a grid over the same section adds none, and reads what is there
    assert grid(config).unrecorded == 0
    assert ledger(tmp_path / "ledger").trials == written["trials"]


def test_entry_is_the_backtest_of_its_strategy(make_market: MakeMarket, tmp_path: Path) -> None:
    level = f"level = 0.8\n{GRID}"
    config = make_market(sessions=400, strategies=level, execution='fill = "next_open"')
    found = tournament(config)
    spanned = grid(config)
    table = spanned.table.set_index("trial_id")
    mine = [e for e in found.entries if e.filter == "sign of the regime" and e.fees_bps == 0]
    main = next(e for e in mine if "fade" in e.rule)
    one = backtest(
        make_market(sessions=400, strategies="level = 0.8", execution='fill = "next_open"')
    )
    returns: np.ndarray[Any, np.dtype[np.float64]] = np.asarray(one.main.returns, dtype=np.float64)
    # tests begin after 100 sessions of training: the first return of a test is the 100th
    outside = returns[99:]
    assert main.sharpe == pytest.approx(outside.mean() / outside.std(ddof=1) * np.sqrt(252))
    assert main.sharpe_all == pytest.approx(one.main.metrics.sharpe)
    assert main.n == len(outside)
    # the interval is the one that a backtest prints of these returns, at the level asked for
    own = return_intervals(outside[:, None], Resampling(level=0.8), year=252)[0].sharpe
    assert (main.sharpe_low, main.sharpe_high) == pytest.approx(own)
    pages = (
        write_tournament_page(found, tmp_path / "tournament.html"),
        write_grid_page(spanned, tmp_path / "grid.html"),
    )
    for page in pages:
        said = re.findall(r"([\d.]+) % interval", page.read_text(encoding="utf-8"))
        assert set(said) == {"80"}
    # and on all sessions grid and backtest say the same, of trials that are called alike
    assert set(table.index) == {e.trial_id for e in found.entries}
    m, names = one.main.metrics, ("sharpe", "sharpe_low", "sharpe_high")
    row = [float(table[name][main.trial_id]) for name in names]
    assert row == pytest.approx([m.sharpe, m.sharpe_low, m.sharpe_high])


def test_a_killed_tournament_goes_on(
    make_market: MakeMarket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make_market(sessions=300, strategies=GRID)
    whole = tournament(config)
    out = tmp_path / "out"
    calls = []

    def killed(*_: Any, **__: Any) -> None:
        calls.append(1)
        raise KeyboardInterrupt

    monkeypatch.setattr(contest_module, "placebos_of", killed)
    with pytest.raises(KeyboardInterrupt):
        tournament(config, out=out)
    monkeypatch.undo()
    assert calls
    assert list(out.glob(f"{keeping._PREFIX}*.npz"))
    again = tournament(config, out=out)
    assert (again.reused, again.computed) == (whole.trials, 0)
    assert [e.sharpe for e in again.entries] == [e.sharpe for e in whole.entries]
    assert not list(out.glob(f"{keeping._PREFIX}*.npz"))


def test_lockbox_keeps_sessions_out_of_everything_and_opens_once(
    make_market: MakeMarket, tmp_path: Path
) -> None:
    free = make_market(sessions=500, strategies=GRID + LEDGER)
    sessions = load_market(load_config(free)).sessions
    config = make_market(
        sessions=500, strategies=GRID.replace("placebos", 'lockbox = "1q"\nplacebos') + LEDGER
    )
    kept = load_market(load_config(config)).sessions
    last = sessions[-1]
    start = pd.Timestamp(last) + pd.Timedelta(days=1) - pd.DateOffset(months=3)
    assert kept[-1] < start <= sessions[len(kept)]
    assert any(n.code == "lockbox" for n in load_market(load_config(config)).notices)
    # the market has it now: who leaves it out of the configuration cannot look either
    free = make_market(sessions=500, strategies=GRID + LEDGER)
    for result in (backtest(free).data.last_session, tournament(free).last):
        assert result == kept[-1].date()
    # data that grow leave it where it is
    make_market(sessions=520, strategies=GRID + LEDGER)
    assert load_market(load_config(free)).sessions[-1] == kept[-1]
    name = tournament(free).entries[0].trial_id
    with pytest.raises(UnknownNameError, match="trial"):
        lockbox(free, ["nobody"])
    assert lockbox(free).opened_at is None
    opened = lockbox(free, [name])
    assert opened.found is not None
    assert opened.found["trials"][0]["trial_id"] == name
    with pytest.raises(LedgerError, match="once"):
        lockbox(free, [name])
    assert lockbox(free).found == opened.found
    assert load_market(load_config(free)).sessions[-1] > kept[-1]


def test_a_confidence_set_of_markets_whose_tests_differ_by_some_sessions() -> None:
    """On the sessions that they share; it was empty, as no trial was there on all of them."""
    rng = np.random.default_rng(1)
    returns = rng.normal(0.0, 0.01, (400, 6))
    returns[:, 0] += 0.004
    sharpe = returns.mean(axis=0) / returns.std(axis=0)
    gaps = returns.copy()
    gaps[-3:, :3], gaps[:2, 3:] = np.nan, np.nan
    field: Any = Made(returns=gaps, days=np.arange(400))
    shared: Any = Made(returns=returns[2:-3], days=np.arange(395))
    assert _in_set(field, sharpe, 1, 300) == _in_set(shared, sharpe, 1, 300) == (0,)
    # halves that have nothing in common: those that are there throughout, if any
    gaps[:200, :3] = np.nan
    gaps[:, 3:] = returns[:, 3:]
    assert set(_in_set(field, sharpe, 1, 300)) <= {3, 4, 5}


def test_markets_that_are_one_by_statement_count_once() -> None:
    days = np.array(["2020-01-02", "2020-06-01"], dtype="datetime64[D]")
    both: Any = [Made(underlying=u, world="", days=days) for u in ("GLD", "GC")]
    assert len(_spans(both, ())) == 2
    assert len(_spans(both, [("GLD", "GC")])) == 1


def test_lockbox_needs_a_ledger(make_market: MakeMarket) -> None:
    config = make_market(strategies='[tournament]\nlockbox = "1y"\n')
    with pytest.raises(ConfigError, match="ledger"):
        load_market(load_config(config))


def test_sizing_that_remembers_has_placebos_too(make_market: MakeMarket) -> None:
    """Held to the engine: the turnover limit moves a quarter a session."""
    config = load_config(make_market(sessions=260))
    market = load_market(config)
    ground = ground_of(market, market_panel(market), "next_close")
    n, none = len(ground.bars), np.arange(0)
    made = Strategy("m", sizing=TurnoverLimit())
    arena = Arena(
        "", ground, (Entry("a", "entry", made, FREE),),
        (Fold(none, np.arange(1, n), none, none),),
    )  # fmt: skip
    labels = labels_outside(arena, made.filter)
    found = _table(arena, [0], labels[None, :], legs_outside(arena))[0, 0]
    engine = books_of(planned([made], ground), ground, FREE, 1e6).returns[0]
    assert found == pytest.approx(engine.mean() / engine.std(ddof=1), abs=2e-4)


@pytest.mark.slow
def test_the_documented_configuration_runs(make_market: MakeMarket, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "tournament.md").read_text(encoding="utf-8")
    block = re.findall(r"```toml\n(.*?)```", text, re.S)[0]
    folder = make_market(sessions=330).parent
    for name, like in (("spx_daily", "bars"), ("published_gex", "gex")):
        (folder / f"{name}.parquet").write_bytes((folder / f"{like}.parquet").read_bytes())
    small = block.replace("placebos = 2000", "placebos = 20").replace("start = 2011-05-01", "")
    (tmp_path / "example.toml").write_text(
        f"{small}\n[inference]\nbootstrap = 100\n", encoding="utf-8"
    )
    found = tournament(tmp_path / "example.toml")
    assert len(found.entries) == 14 * 6 * 3
    assert found.trials >= 14 * 6 * 3 + 5


@pytest.mark.slow
def test_what_the_document_says_of_published_gex(shared_data: Path, tmp_path: Path) -> None:
    """The documented configuration on the public series, and every number that is told of it."""
    text = (ROOT / "docs" / "tournament.md").read_text(encoding="utf-8")
    block = re.findall(r"```toml\n(.*?)```", text, re.S)[0]
    (tmp_path / "example.toml").write_text(f'{block}\n[ledger]\npath = "l"\n', encoding="utf-8")
    bars = pd.read_parquet(shared_data / "bars" / "spx_spy_qqq_vix_daily_1995_2026.parquet")
    bars[bars["root"] == "SPX"].rename(columns=str.lower).to_parquet(tmp_path / "spx_daily.parquet")
    for name, source, value in (
        ("published_gex", "squeezemetrics_dix_gex", "gex"), ("vix", "vix_daily", "value"),
    ):  # fmt: skip
        series = pd.read_parquet(shared_data / "series" / f"{source}.parquet")
        series = series.rename(columns={"date": "session", value: "value"})
        series[["session", "value"]].to_parquet(tmp_path / f"{name}.parquet")
    found = tournament(tmp_path / "example.toml")
    best = max(found.entries, key=lambda e: e.sharpe if math.isfinite(e.sharpe) else -9.0)
    (hold,) = {round(e.sharpe, 2) for e in found.controls if e.rule == "hold"}
    ranked = sorted(found.entries, key=lambda e: -np.nan_to_num(e.sharpe, nan=-9.0))
    assert found.winner is None
    assert best.rule == "long: hold; short: flat"
    assert best.filter == "sign of the regime"
    assert not [
        e for e in ranked[:10] if e.rule.startswith("long: fade 1") and "1 s" in e.rule[22:]
    ]
    said = " ".join(text.split())
    for words in (
        f"({len(found.entries)} entries, {found.trials} trials with what they are held against, "
        f"tests from {found.first.year} on)",
        f"has a Sharpe ratio of {best.sharpe:.2f}; the best of {found.trials} blind ones would "
        f"have {found.best_by_luck:.2f}. Holding throughout has {hold}.",
        f"against so many trials is {found.detectable_sharpe:.2f}:",
    ):
        assert words in said


def test_a_test_that_trades_is_the_trial_of_the_backtest(
    make_market: MakeMarket, tmp_path: Path
) -> None:
    config = make_market(sessions=400, strategies=LEDGER)
    assert hypotheses(["fade-follow"], config).results[0].outcome is not None
    first = ledger(tmp_path / "ledger")
    assert [e["source"] for e in first.entries] == ["test"]
    # the backtest's main strategy is the same trial, counted once
    assert ledger(tmp_path / "ledger").trials == 1
    strategies = backtest(config).strategies
    assert ledger(tmp_path / "ledger").trials == len(strategies)


def test_hostile_names_stay_text(make_market: MakeMarket, tmp_path: Path) -> None:
    found = tournament(make_market(sessions=300, strategies=GRID))
    bad = "</script><script>alert(1)</script><b>%{y}"
    entries = tuple(
        replace(e, filter=bad, rule=bad, arena=bad, sentence=bad) for e in found.entries
    )
    page = write_tournament_page(
        replace(found, entries=entries, sentence=bad, underlyings=(bad,)), tmp_path / "t.html"
    ).read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page
    assert "<b>%{y}" not in page


def test_two_entries_on_two_blocks_have_a_probability_of_overfitting() -> None:
    days = np.arange("2024-01-01", "2024-01-24", dtype="datetime64[D]")
    roles = [Made(role="entry"), Made(role="placebo"), Made(role="entry")]
    ground = Made(clock=Made(spans=np.ones(22, dtype=np.int64)))
    arena: Any = Made(days=days, entries=roles, ground=ground)
    rng = np.random.default_rng(3)
    played: Any = Made(returns=rng.standard_normal((22, 3)))
    assert _overfitting([arena], [played]) is not None
    few: Any = Made(returns=played.returns)
    alone: Any = Made(days=days, entries=roles[:2], ground=ground)
    assert _overfitting([alone], [few]) is None


def test_an_entry_is_held_against_its_rules_in_the_shares_of_its_labels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """60 % fading, 30 % flat, 10 % following: being flat earns nothing and is no trial."""
    fade, follow = Fade(), Follow()
    whole = Strategy("three", Replayed(), fade, Flat(), follow, Fixed())
    strategies = (whole, alone(fade, Fixed()), alone(follow, Fixed()))
    entries = [Entry(str(k), "control" if k else "entry", s, FREE)
               for k, s in enumerate(strategies)]  # fmt: skip
    days = np.arange("2024-01-02", "2024-01-08", dtype="datetime64[D]")
    arena: Any = Made(days=days, entries=entries, outside=np.array([False, True, True, True, True]))
    played: Any = Made(returns=np.random.default_rng(1).standard_normal((5, 3)))
    shares = {"long": 0.6, "short": 0.3, "neutral": 0.1}
    monkeypatch.setattr(judgement, "label_shares", lambda *_: shares)
    place = np.array([[0, 0], [0, 1], [0, 2]])
    field = Field(days[2:], played.returns[1:], place, 252)
    table, owner = _against_rules([arena], [played], field)
    assert owner.tolist() == [0]
    mine, fading, following = played.returns[1:].T
    assert table[:, 0] == pytest.approx(mine - 0.6 * fading - 0.1 * following)


def test_facts_of_a_trial_are_of_the_sessions_outside() -> None:
    held = np.array([[0.0, 1.0, 1.0, -0.5, 0.0]])
    returns = np.array([[0.01, 0.02, -0.03, 0.04]])
    net: Any = Made(positions=held, returns=returns)
    free: Any = Made(traded=np.array([[0.0, 1.0, 0.0, 1.5, 0.5]]), returns=returns + 0.001)
    for at_open, tilt in ((True, 0.25), (False, 1.0)):
        ground = Made(clock=Made(at_open=at_open))
        arena: Any = Made(ground=ground, outside=np.array([False, True, True, False]))
        facts = _facts(net, free, arena)
        assert facts["tilt"] == pytest.approx([tilt])
        assert facts["gross"] == pytest.approx([-0.004])
        assert facts["turnover"] == pytest.approx([0.75])
