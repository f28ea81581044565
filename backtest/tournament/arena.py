"""Who takes part in a tournament, and what each of them earned: entries, controls, competitors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from ...data import NOISE
from ...strategies import (
    CONTROLS,
    LONG,
    NEUTRAL,
    RULED,
    SHORT,
    Always,
    Filter,
    Flat,
    Strategy,
    columns_read,
    make_component,
)
from ..execution.costs import FREE, Costs
from ..grid.columns import books_of, planned
from ..statistics.resampling import Resampling
from .placebos import Legs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...data import Progress
    from ...strategies import Component, Rule, Sizing
    from ..execution.terms import Terms
    from ..grid.columns import Books, Ground
    from .folds import Fold

__all__ = [
    "COMPETITORS",
    "Arena",
    "Entry",
    "Keeper",
    "Played",
    "Role",
    "Simulator",
    "alone",
    "competing_filters",
    "fills_of",
    "label_shares",
    "labels_held",
    "legs_of",
    "opponents",
    "played",
    "reads_options",
    "resampling_of",
    "simulated_chunk",
    "wanted_by_label",
]

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]
Role = Literal["entry", "control", "competitor"]
#: Yields returns and facts of each chunk of trials.
Simulator = Callable[[Sequence[tuple[int, ...]]], Iterable[tuple[Floats, Floats]]]

#: Filters that see what moves volatility without options' positions, by what they are called.
COMPETITORS: Final = ("vix-level", "realised-volatility", "trend")
_CHUNK: Final = 250
FACTS: Final = (
    "gross", "turnover", "impact", "tilt", "exposure", "in_market", "long_leg", "short_leg",
    "ruined", "late", "undefined",
)  # fmt: skip


class Keeper(Protocol):
    """What keeps chunks of trials, named by their ids, from a run that is cut short."""

    def get(self, trials: tuple[str, ...]) -> tuple[Floats, Floats] | None:
        """Return what a chunk came to; None where it is not known."""
        ...

    def keep(self, trials: tuple[str, ...], found: tuple[Floats, Floats]) -> None:
        """Keep what a chunk came to."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One trial of a tournament.

    Attributes
    ----------
    trial_id : str
        As in the ledger.
    role : {"entry", "control", "competitor"}
        Only entries can survive; controls and competitors are what they are held against.
    strategy : Strategy
    costs : Costs
    cash : float
    terms : Terms or None
        What accrues between fills and limits orders; None: nothing.
    execution : str
        What tells fills, costs and terms from those of other entries.
    parameters : mapping
        Everything chosen, as shown.
    settings : mapping
        Everything chosen, as the ledger keeps it.
    """

    trial_id: str
    role: Role
    strategy: Strategy
    costs: Costs
    cash: float = 1_000_000.0
    terms: Terms | None = None
    execution: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[Any, ...]:
        """What must be equal for two trials to differ by their filter alone."""
        s = self.strategy
        return s.long, s.short, s.neutral, s.sizing, self.execution

    @property
    def identity(self) -> tuple[Any, ...]:
        """What it is, whatever it is called."""
        return self.strategy.filter, *self.key

    @property
    def plain(self) -> bool:
        """Whether positions times returns less costs are all that there is to it."""
        terms = self.terms
        return terms is None or (terms.plain and not terms.half_spread.any())


@dataclass(frozen=True, slots=True, eq=False)
class Arena:
    """Trials that share bars and fill.

    Attributes
    ----------
    title : str
    ground : Ground
    entries : tuple of Entry
        Each trial once.
    folds : tuple of Fold
        Walk-forward, on the ground's sessions.
    underlying, data_id, world : str
        As the ledger has them.
    """

    title: str
    ground: Ground
    entries: tuple[Entry, ...]
    folds: tuple[Fold, ...]
    underlying: str = ""
    data_id: str = ""
    world: str = ""

    @property
    def days(self) -> Days:
        """Sessions of the bars, shape (n,)."""
        return self.ground.schedule.sessions.to_numpy().astype("datetime64[D]")

    @property
    def outside(self) -> npt.NDArray[np.bool_]:
        """Which returns, shape (n - 1,), are of sessions of a test and span one session."""
        rows = np.zeros(len(self.days), dtype=bool)
        for fold in self.folds:
            rows[fold.test] = True
        inside: npt.NDArray[np.bool_] = rows[1:] & (self.ground.clock.spans == 1)
        return inside


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """What the trials of an arena earned.

    Attributes
    ----------
    returns : ndarray, shape (n - 1, k)
        Net; 0 once the equity is gone.
    facts : mapping of str to ndarray, shape (k,)
        On the sessions outside: ``gross`` (mean return without costs), ``turnover`` and ``impact``
        (mean notional traded over equity, and of its power 3/2), ``tilt`` and ``exposure`` (mean
        position, and of its size), ``in_market`` (share of sessions with a position), ``long_leg``
        and ``short_leg`` (sums of the returns that long and short positions earned). Over all
        sessions: ``ruined``, ``late``, ``undefined``.
    asset : ndarray, shape (n - 1,)
        Return of the instrument.
    """

    returns: Floats
    facts: Mapping[str, Floats]
    asset: Floats


def reads_options(component: Component) -> bool:
    """Return whether a filter reads the regime: what options' positions say."""
    return any(c == "regime" or c.startswith("regime.") for c in columns_read(component))


def competing_filters(columns: Sequence[str]) -> tuple[Filter, ...]:
    """Return the filters without options that a market has the columns for."""
    found = []
    for name in COMPETITORS:
        made = make_component("filter", name)
        assert isinstance(made, Filter)
        if set(columns_read(made)) <= set(columns):
            found.append(made)
    return tuple(found)


def opponents(strategies: Sequence[Strategy], columns: Sequence[str]) -> dict[Strategy, Role]:
    """Return what strategies are held against: controls, their rules alone, competitors.

    Parameters
    ----------
    strategies : sequence of Strategy
        The entries.
    columns : sequence of str
        Of the panel.
    """
    found: dict[Strategy, Role] = dict.fromkeys(_controls(columns), "control")
    found |= dict.fromkeys(_rules_alone(strategies), "control")
    found |= dict.fromkeys(_competing(strategies, columns), "competitor")
    seen = {_parts(one) for one in strategies}
    out: dict[Strategy, Role] = {}
    for one, role in found.items():
        if _parts(one) not in seen:
            seen.add(_parts(one))
            out[one] = role
    return out


def _controls(columns: Sequence[str]) -> Iterator[Strategy]:
    flat = Flat()
    for control in (*CONTROLS.values(), Strategy("flat", Always(), flat, flat, flat)):
        if set(columns_read(control.filter)) <= set(columns):
            yield control


def _rules_alone(strategies: Sequence[Strategy]) -> Iterator[Strategy]:
    for one in strategies:
        for label in RULED:
            rule = one.rule(label)
            yield alone(rule, one.sizing)


def alone(rule: Rule, sizing: Sizing) -> Strategy:
    """Return a rule without a regime: it acts after every session."""
    return Strategy(f"always {rule.describe()}", Always(), rule, rule, rule, sizing)


def _competing(strategies: Sequence[Strategy], columns: Sequence[str]) -> Iterator[Strategy]:
    """Yield strategies that read options under each filter that does not and is not there yet."""
    reading = [one for one in strategies if reads_options(one.filter)]
    own = {type(one.filter) for one in strategies}
    for made in competing_filters(columns):
        if type(made) not in own:
            for one in reading:
                yield replace(one, name=made.name, filter=made)


def _parts(strategy: Strategy) -> tuple[Any, ...]:
    s = strategy
    return s.filter, s.long, s.short, s.neutral, s.sizing


def played(
    arena: Arena,
    report: Progress,
    *,
    done: int = 0,
    total: int = 0,
    store: Keeper | None = None,
    simulated: Simulator | None = None,
) -> Played:
    """Simulate all trials of an arena in chunks.

    Parameters
    ----------
    arena : Arena
    report : callable
        Told how many trials are done.
    done, total : int
        Trials of the arenas before, and of all arenas.
    store : Keeper, optional
        Keeps what chunks of trials came to.
    simulated : callable, optional
        Yields returns and facts of each of some chunks; by default they are computed here.
    """
    entries, ground = arena.entries, arena.ground
    close = ground.bars["close"].to_numpy(dtype=np.float64)
    chunks = list(_chunks(entries))
    names = {chunk: tuple(entries[i].trial_id for i in chunk) for chunk in chunks}
    kept = {} if store is None else {c: store.get(name) for c, name in names.items()}
    parts = {chunk: part for chunk, part in kept.items() if part is not None}
    missing = [chunk for chunk in chunks if chunk not in parts]
    done += sum(map(len, parts))
    report(done, total, "trials")
    make = simulated or (lambda some: (simulated_chunk(arena, chunk) for chunk in some))
    for chunk, part in zip(missing, make(missing), strict=True):
        if store is not None:
            store.keep(names[chunk], part)
        parts[chunk] = part
        done += len(chunk)
        report(done, total, "trials")
    back = np.argsort([i for chunk in chunks for i in chunk])
    returns, facts = (
        np.concatenate([parts[chunk][k] for chunk in chunks], axis=1)[:, back] for k in (0, 1)
    )
    return Played(
        returns=returns,
        facts=dict(zip(FACTS, facts, strict=True)),
        asset=close[1:] / close[:-1] - 1.0,
    )


def _chunks(entries: Sequence[Entry]) -> Iterator[tuple[int, ...]]:
    """Yield places of entries that share costs, at most so many at once."""
    groups: dict[str, list[int]] = {}
    for i, entry in enumerate(entries):
        groups.setdefault(entry.execution, []).append(i)
    for places in groups.values():
        for first in range(0, len(places), _CHUNK):
            yield tuple(places[first : first + _CHUNK])


def simulated_chunk(arena: Arena, places: Sequence[int]) -> tuple[Floats, Floats]:
    """Return returns, shape (n - 1, k), and facts, shape (f, k), of trials that share costs.

    Parameters
    ----------
    arena : Arena
    places : sequence of int
        Their numbers in the arena.
    """
    mine, ground = [arena.entries[i] for i in places], arena.ground
    orders = planned([entry.strategy for entry in mine], ground)
    costs, cash, terms = mine[0].costs, mine[0].cash, mine[0].terms
    spread = terms is not None and bool(terms.half_spread.any())
    bare = None if terms is None else terms.without_spread()
    free = books_of(orders, ground, FREE, cash, bare)
    net = free if costs.free and not spread else books_of(orders, ground, costs, cash, terms)
    facts = _facts(net, free, arena)
    facts["late"] = orders.late.astype(np.float64)
    facts["undefined"] = orders.undefined.astype(np.float64)
    return np.nan_to_num(net.returns.T), np.array([facts[name] for name in FACTS])


def _facts(net: Books, free: Books, arena: Arena) -> dict[str, Floats]:
    rows = arena.outside
    if not rows.any():
        rows = np.ones(len(rows), dtype=bool)
    held = net.positions[:, 1:] if arena.ground.clock.at_open else net.positions[:, :-1]
    held = np.nan_to_num(held[:, rows])
    traded = np.nan_to_num(free.traded[:, 1:][:, rows])
    earned = np.nan_to_num(net.returns[:, rows])
    return {
        "gross": np.nan_to_num(free.returns[:, rows]).mean(axis=1),
        "turnover": traded.mean(axis=1),
        "impact": (traded**1.5).mean(axis=1),
        "tilt": held.mean(axis=1),
        "exposure": np.abs(held).mean(axis=1),
        "in_market": (np.abs(held) > NOISE).mean(axis=1),
        "long_leg": np.where(held > NOISE, earned, 0.0).sum(axis=1),
        "short_leg": np.where(held < -NOISE, earned, 0.0).sum(axis=1),
        "ruined": np.isnan(net.returns).any(axis=1).astype(np.float64),
    }


def fills_of(ground: Ground, values: Floats, missing: float) -> Floats:
    """Move values by session of the panel to the sessions at which their decisions fill."""
    schedule, panel = ground.schedule, ground.evaluation.panel
    rows = panel.sessions.get_indexer(schedule.sessions)
    source = np.flatnonzero(schedule.row >= 0)
    out = np.full((len(rows), *values.shape[1:]), missing)
    out[schedule.row[source]] = values[rows[source]]
    return out


def labels_held(arena: Arena, made: Filter) -> Floats:
    """Return the code under which each return's position was decided, shape (n - 1,)."""
    codes = arena.ground.evaluation.labels(made).values
    by_fill: Floats = fills_of(arena.ground, codes[:, None], 0.0)[:, 0]
    return by_fill[1:] if arena.ground.clock.at_open else by_fill[:-1]


def label_shares(arena: Arena, made: Filter) -> dict[str, float]:
    """Return the share of the tests' sessions that a filter puts under each label with a rule."""
    held = labels_held(arena, made)[arena.outside]
    return {
        label: float(np.mean(held == code))
        for label, code in zip(RULED, (LONG, SHORT, NEUTRAL), strict=True)
    }


def wanted_by_label(strategy: Strategy, ground: Ground) -> Floats:
    """Return the position that a strategy wants under each label, shape (n, 4), by fill.

    Only for sizings that look at one decision at a time; 0 where a rule or the sizing lacks an
    input.
    """
    evaluation = ground.evaluation
    columns = [np.zeros(len(evaluation.panel.sessions))]
    for label in RULED:
        target = evaluation.targets(strategy.rule(label)).values
        columns.append(np.nan_to_num(evaluation.positions(strategy.sizing, target).values))
    return fills_of(ground, np.column_stack(columns), 0.0)


def legs_of(ground: Ground) -> Legs:
    """Return what a unit of the position earns before and after each session's fill."""
    close = ground.bars["close"].to_numpy(dtype=np.float64)
    n = len(close)
    before, after, counted = np.zeros(n), np.zeros(n), np.zeros(n, dtype=bool)
    counted[1:] = ground.clock.spans == 1
    if ground.clock.at_open:
        name = "open" if ground.schedule.fill == "next_open" else "at_fill"
        opens = ground.bars[name].to_numpy(dtype=np.float64)
        opens = np.where(np.isfinite(opens), opens, close)
        before[1:] = opens[1:] / close[:-1] - 1.0
        after = close / opens - 1.0
    else:
        before[1:] = close[1:] / close[:-1] - 1.0
    return Legs(before, after, counted)


def resampling_of(seed: int, draws: int, block: float, rows: int) -> Resampling:
    """Return the resampling of so many rows: blocks no longer than a third of them."""
    return Resampling(seed, draws, min(block, max(rows / 3.0, 1.0)))
