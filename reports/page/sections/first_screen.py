"""The first screen: today's regime, how sure it is, what changed, what expires, its worth."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING, Any

from ....data import OPEN_INTEREST_NOISE, VOLATILITY_NOISE, regime_of
from ...session.morning import Measure, measures_of, run_length
from ..formats import (
    DASH,
    count,
    day,
    fixed,
    interval,
    interval_heading,
    is_defined,
    joined,
    level,
    moment,
    money,
    percent,
    plural,
    signed,
)
from ..views import Column, Fact, Row, Section, Table, text_column
from . import words
from .performance import about_earned
from .profile import FLIP_STATUS, carry_warnings, profile_figure, sentence_of, strength
from .story import change_figure
from .verdict import direction_verdict, main_ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ....backtest import BacktestResult
    from ....data import BookState
    from ...session.morning import Morning
    from ...session.story import SessionStory
    from ..views import Figure

__all__ = ["headline_of", "today_section"]

_NOTHING = Measure(float("nan"), float("nan"), float("nan"), 0)


def headline_of(morning: Morning) -> str:
    """Return underlying, regime and session in a line."""
    name = morning.result.data.underlying
    return f"{name}: {words.regime(morning.regime)} on {day(morning.session)}"


def today_section(morning: Morning) -> Section:
    """Return what a desk reads before anything else."""
    year = morning.result.data.sessions_per_year
    measures = measures_of(morning.history, year)
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    warnings: tuple[str, ...] = _abstains(morning)
    if morning.picture is None:
        text = (f"{day(morning.session)}. {_sentence_of_series(morning, measures)}",)
        facts = _facts_of_series(morning, measures)
    else:
        text = (f"{day(morning.session)}. {sentence_of(morning.picture)}",)
        warnings += carry_warnings(morning.picture)
        facts = _facts_of_chain(morning, measures)
        figures = (profile_figure(morning.picture, height=520),)
    if morning.story is not None:
        figures += _changes(morning.story)
        tables += (_next_table(morning.story, morning.band),)
    facts += _about_data(morning)
    tables += (_worth_table(morning.result, morning.regime),)
    return Section("today", "Last session", text, facts, figures, tables, warnings)


def _abstains(morning: Morning) -> tuple[str, ...]:
    if morning.regime != "abstain":
        return ()
    reasons = morning.result.regime.promoted.get(day(morning.session), ())
    if morning.picture is not None and morning.picture.row["quality"] != "ok":
        reasons = tuple(str(morning.picture.row["quality"]).split(","))
    named = joined(reason.replace("_", " ") for reason in reasons)
    why = f" ({named})" if named else ""
    return (f"The quality gate failed{why}: no regime is claimed.",)


def _sentence_of_series(morning: Morning, measures: Mapping[str, Measure]) -> str:
    value = measures.get("value", _NOTHING)
    return (
        f"{words.regime(morning.regime).capitalize()} by {morning.result.regime.name}: "
        f"{_plain(value.now)}, in its own unit. There is no chain behind it, so no flip, walls or "
        "expirations are known here."
        if morning.result.regime.source == "series"
        else f"{words.regime(morning.regime).capitalize()} by {morning.result.regime.name}."
    )


def _plain(value: float) -> str:
    return f"{value:,.4g}".replace("-", "\N{MINUS SIGN}") if is_defined(value) else DASH


def _facts_of_series(morning: Morning, measures: Mapping[str, Measure]) -> tuple[Fact, ...]:
    value = measures.get("value", _NOTHING)
    found = [
        _regime_fact(morning, morning.result.regime.known),
        Fact("Value", _plain(value.now), "own unit", beside=_beside(value, _plain)),
    ]
    for name, label in (("spot", "Spot"), ("flip", "Flip")):
        held = measures.get(name, _NOTHING)
        if is_defined(held.now):
            found.append(Fact(label, level(held.now), "points", beside=_beside(held, level, False)))
    return tuple(found)


def _regime_fact(morning: Morning, note: str) -> Fact:
    labels = morning.history["regime"]
    since = plural(run_length(labels), "session")
    before = words.regime(str(labels.iloc[-2])) if len(labels) > 1 else DASH
    return Fact(
        "Regime",
        words.regime(morning.regime),
        note,
        words.tone(morning.regime),
        f"before: {before}; for {since}",
    )


def _facts_of_chain(morning: Morning, measures: Mapping[str, Measure]) -> tuple[Fact, ...]:
    picture = morning.picture
    assert picture is not None  # the caller's own check
    row, implied = picture.row, picture.implied

    def currency(value: float | None) -> str:
        return money(value, sign=picture.sign)

    def beside(name: str, form: object, *, rank: bool = True) -> str:
        return _beside(measures.get(name, _NOTHING), form, rank)

    return (
        _regime_fact(morning, row["book"]),
        *_gamma_facts(row, currency, beside),
        _band_fact(morning, measures),
        _noise_fact(row, implied, currency, morning.result.provenance.level),
        Fact(
            "Definitions agree",
            percent(row["definition_agreement"], 0),
            "of 16 give this sign; no probability",
            "",
            beside("definition_agreement", _share, rank=False),
        ),
        *_level_facts(row, beside),
        _move_fact(implied),
        Fact(
            "30-day volatility",
            percent(implied["swap_30d"]),
            f"variance swap; {percent(implied['atm_30d'])} at the money",
            "",
            beside("swap_30d", percent),
        ),
        *_book_facts(row, beside),
    )


def _gamma_facts(
    row: Mapping[str, Any], currency: Callable[[float | None], str], beside: Callable[..., str]
) -> tuple[Fact, ...]:
    return (
        Fact(
            "Net GEX", currency(row["net_gex"]), "of delta per +1 %", "",
            beside("value", currency),
        ),
        Fact(
            "Net / gross",
            fixed(row["net_to_gross"], 3),
            f"gross {currency(row['gross_gex'])}",
            "",
            beside("net_to_gross", _ratio),
        ),
    )  # fmt: skip


def _level_facts(row: Mapping[str, Any], beside: Callable[..., str]) -> tuple[Fact, ...]:
    """Return spot, flip, walls and pin strike."""
    strikes = (
        ("Call wall", "call_wall", "call_wall_strength"),
        ("Put wall", "put_wall", "put_wall_strength"),
        ("Pin strike", "pin_strike", "pin_strength"),
    )
    return (
        Fact(
            "Spot", level(row["spot"]), f"valued {moment(row['valuation_ts'])}", "",
            beside("spot", level, rank=False),
        ),
        Fact(
            "Flip", level(row["flip"]), FLIP_STATUS.get(row["flip_status"], ""), "",
            beside("flip", level, rank=False),
        ),
        Fact(
            "Spot above flip",
            percent(row["flip_distance"], 2, sign=True),
            "ln(spot / flip)",
            "",
            beside("flip_distance", _distance),
        ),
        *(
            Fact(label, level(row[name]), strength(row[size]), "", beside(name, level, rank=False))
            for label, name, size in strikes
        ),
    )  # fmt: skip


def _book_facts(row: Mapping[str, Any], beside: Callable[..., str]) -> tuple[Fact, ...]:
    """Return what expires, and how many contracts stand behind the session."""
    return (
        Fact(
            "0DTE share", percent(row["gex_0dte_share"]), "of gross", "",
            beside("gex_0dte_share", percent),
        ),
        Fact(
            "Next monthly", percent(row["gex_next_opex_share"]), "of gross", "",
            beside("gex_next_opex_share", percent),
        ),
        Fact(
            "Contracts",
            fixed(row["contracts_used"], 0),
            f"{percent(row['oi_rejected_share'], 2)} of open interest rejected",
            "",
            beside("contracts_used", count, rank=False),
        ),
    )  # fmt: skip


def _noise_fact(
    row: Mapping[str, Any],
    implied: Mapping[str, Any],
    currency: Callable[[float | None], str],
    coverage: float,
) -> Fact:
    """Return where net GEX and flip lie, at that coverage, if their inputs are a little off."""
    from scipy.special import ndtri

    reach = float(ndtri(0.5 + coverage / 2.0))
    sd, about = implied["net_gex_sd"], implied["flip_sd"]
    noise = (
        f"{100.0 * coverage:g} %, if each open interest is off by "
        f"{percent(OPEN_INTEREST_NOISE, 0)}, each volatility by "
        f"{fixed(100.0 * VOLATILITY_NOISE, 0)} point"
    )
    if not is_defined(sd) or not is_defined(row["net_gex"]):
        return Fact("Error band of net GEX", DASH, noise)
    low, high = (currency(row["net_gex"] + side * reach * sd) for side in (-1.0, 1.0))
    flip = "no flip"
    if is_defined(about) and is_defined(row["flip"]):
        ends = [level(row["flip"] * exp(side * reach * about)) for side in (-1.0, 1.0)]
        flip = f"flip {ends[0]} to {ends[1]}"
    return Fact("Error band of net GEX", f"{low} to {high}", noise, "", flip)


def _move_fact(implied: Mapping[str, object]) -> Fact:
    """Return the move that the chain expects: its straddle, and a session by its volatility."""
    price, expires = implied["straddle"], implied["straddle_expires"]
    by_session = fixed(implied["expected_move"], 1)  # type: ignore[arg-type]
    if price is None:
        return Fact(
            "Expected move", by_session, "points, one s.d. of a session; no straddle priced"
        )
    return Fact(
        "Expected move",
        by_session,
        "points, one s.d. of a session",
        "",
        f"straddle {level(implied['straddle_strike'])} to {day(expires)}: "  # type: ignore[arg-type]
        f"{fixed(price, 1)} points",  # type: ignore[arg-type]
    )


def _band_fact(morning: Morning, measures: Mapping[str, Measure]) -> Fact:
    """Return how far net over gross lies beyond the neutral band; negative inside it."""
    ratio = measures.get("net_to_gross", _NOTHING)
    if morning.band is None or not is_defined(ratio.now):
        return Fact("Beyond the neutral band", DASH, "no band on this regime")
    away, before = abs(ratio.now) - morning.band, abs(ratio.before) - morning.band
    inside = "inside: no regime" if away < 0 else "of net / gross"
    return Fact(
        "Beyond the neutral band",
        signed(away, 3),
        f"{inside}; band {fixed(morning.band, 3)}",
        "warn" if away < 0 else "",
        f"before: {signed(before, 3)}",
    )


def _ratio(value: float | None) -> str:
    return fixed(value, 3)


def _share(value: float | None) -> str:
    return percent(value, 0)


def _distance(value: float | None) -> str:
    return percent(value, 2, sign=True)


def _beside(measure: Measure, form: object, rank: bool = True) -> str:
    """Return the previous value, and where today's lies among a year's."""
    assert callable(form)
    before = f"before: {form(measure.before)}"
    if not rank or not is_defined(measure.percentile):
        return before
    return f"{before}; percentile {fixed(100.0 * measure.percentile, 0)} of {count(measure.n)}"


def _about_data(morning: Morning) -> tuple[Fact, ...]:
    result = morning.result
    p = result.provenance
    worst = [n for n in result.notices if n.severity != "info"]
    tried = max(p.trial_numbers.values(), default=0)
    return (
        Fact(
            "Data quality",
            "ok" if morning.regime != "abstain" else "gate failed",
            f"{plural(len(worst), 'warning')} about {plural(result.data.sessions, 'session')}",
            "warn" if morning.regime == "abstain" else "",
            f"public from {moment(morning.history['known_at'].iloc[-1])}",
        ),
        Fact(
            "Trials on these data",
            count(tried) if tried else DASH,
            "in the ledger" if tried else "no ledger counts them",
            "",
            f"{count(p.trials)} in this run",
        ),
        Fact(
            "Definition",
            morning.result.regime.definition_id or DASH,
            f"{morning.result.regime.dealer_model or 'publisher’s'} dealers",
        ),
    )


def _changes(story: SessionStory) -> tuple[Figure, ...]:
    return () if story.change is None else (change_figure(story.change, story.sign, height=330),)


def _next_table(story: SessionStory, band: float | None) -> Table:
    """Return the book now and without what expires next."""
    structure, sign = story.structure, story.sign
    columns = (
        text_column("Book"),
        Column("Net GEX", "per 1 %"),
        Column("Net / gross"),
        text_column("Regime"),
        Column("Flip", "points"),
    )
    dying = structure.roll_off[0] if structure.roll_off else None
    monthly = next((r for r in structure.roll_off if r.monthly), None)
    named: list[tuple[str, BookState | None]] = [("now", structure.today)]
    if dying is not None:
        named.append((f"without {day(dying.session)}", structure.after_next_expiration))
    if monthly is not None and monthly != dying:
        named.append(
            (f"without all to {day(monthly.session)}, monthly", structure.after_next_monthly)
        )
    rows = tuple(_state_row(name, state, sign, band) for name, state in named if state is not None)
    if dying is None:
        title, note = "Nothing in this book expires", ""
    else:
        title = f"On {day(dying.session)} {percent(dying.share)} of gross gamma expires"
        note = "At an unmoved spot and unmoved volatilities, if nobody trades."
    return Table("tab-next", title, columns, rows, note)


def _state_row(name: str, state: BookState, sign: str, band: float | None) -> Row:
    label = state.regime
    if band is not None:
        label = regime_of(state.net_to_gross, band, degraded=False)
    cells = (
        name,
        money(state.net_gex, sign=sign),
        signed(state.net_to_gross, 3),
        words.regime(label),
        level(state.flip),
    )
    return Row(cells, words.tone(label))


def _worth_table(result: BacktestResult, today: str) -> Table:
    """Return volatility and profit after each regime in the past; today's stands out."""
    name, ratio = main_ratio(result)
    cells = result.volatility.by_regime.get(name, {})
    earned = result.main.by_regime
    columns = (
        text_column("Regime"),
        Column("Next volatility", "a year"),
        Column("Sessions"),
        Column("Mean return", "bp a session"),
        Column("Sharpe"),
    )
    rows = []
    for label in dict.fromkeys([*cells, *earned]):
        cell, own = cells.get(label), earned.get(label)
        rows.append(
            Row(
                (
                    words.regime(label),
                    DASH if cell is None else percent(cell.next_1),
                    DASH if cell is None else count(cell.n_next_1 or cell.n),
                    DASH if own is None else signed(own.mean_bps, 1),
                    DASH if own is None else fixed(own.sharpe),
                ),
                words.tone(label),
                strong=label == today,
            )
        )
    verdict = direction_verdict(result)
    after = ""
    if ratio is not None and is_defined(ratio.value):
        after = (
            f"Volatility after short over after long gamma: {fixed(ratio.value)} "
            f"{interval(ratio.low, ratio.high)} ({interval_heading(result.provenance.level)}, "
            f"{words.estimator(name)}). "
        )
    note = (
        f"{after}{verdict.question} {verdict.answer}. Returns are those of "
        f"{result.main.spec.name}, net of costs. {about_earned(result)}".rstrip()
    )
    named = "sessions without a regime were" if today == "abstain" else f"{words.regime(today)} was"
    title = f"What {named} worth in the past"
    return Table("tab-worth", title, columns, tuple(rows), note)
