"""Evaluating components: each distinct one once, on the values that were public in time."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data import ConfigError
from .answers import asked, code_of, codes_of, number_of, numbers_of
from .component import Component, Filter, Past, Rule, Sizing
from .panel import Panel
from .view import Window, hide_late, window_of

__all__ = ["Evaluation", "Outcome"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Moments = npt.NDArray[np.datetime64]

_NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What one component says of every session.

    Attributes
    ----------
    values : ndarray of float, shape (n,)
        Codes of labels (see `panel.LABELS`), targets, or positions; NaN where undefined.
    known_at : ndarray of int64, shape (n,)
        When the latest input became public, nanoseconds since 1970, UTC; the smallest integer
        where nothing was read. Derived from the declared inputs.
    late : ndarray of bool, shape (n,)
        Whether one of today's inputs was published too late, and so was treated as missing.
    """

    values: Floats
    known_at: Ints
    late: Flags


@dataclass(slots=True)
class Evaluation:
    """Components on one panel under one set of deadlines; equal ones are evaluated once.

    Attributes
    ----------
    panel : Panel
    deadline : ndarray of datetime64[ns], shape (n,)
        By when the inputs of each session's decision must be public, UTC; NaT where no order
        follows.
    """

    panel: Panel
    deadline: Moments
    _columns: dict[str, tuple[Floats, Ints, Flags]] = field(default_factory=dict)
    _windows: dict[Past, Window] = field(default_factory=dict)
    _outcomes: dict[Component, Outcome] = field(default_factory=dict)
    _commons: dict[tuple[Any, ...], Floats] = field(default_factory=dict)

    def labels(self, component: Filter) -> Outcome:
        """Return the codes of a filter; an unusable input abstains.

        Parameters
        ----------
        component : Filter

        Returns
        -------
        Outcome
            Codes of labels, shape (n,).

        Raises
        ------
        ConfigError
            If a label is none of the four, or the shape is wrong.
        """
        return self._once(component, lambda: self._labels(component))

    def targets(self, component: Rule) -> Outcome:
        """Return the targets of a rule, NaN where an input is unusable.

        Parameters
        ----------
        component : Rule

        Returns
        -------
        Outcome
            -1 ... 1, shape (n,); NaN where there is none.

        Raises
        ------
        ConfigError
            If a target lies outside -1 ... 1, or the shape is wrong.
        """
        return self._once(component, lambda: self._targets(component))

    def positions(self, component: Sizing, targets: Floats, rows: Ints | None = None) -> Outcome:
        """Return positions; where an input is unusable, or the target is, NaN.

        Parameters
        ----------
        component : Sizing
        targets : ndarray of float, shape (n,)
            NaN where there is none.
        rows : ndarray of int64, shape (n,), optional
            Row of the panel whose inputs each target's sizing reads, -1 for none; by default
            targets are one a row.

        Returns
        -------
        Outcome
            Shares of equity, shape (n,); NaN where undefined.

        Raises
        ------
        ConfigError
            If the shape is wrong, or a sizing that reads everything up to a session is asked for
            rows.
        """
        given, usable, known, late = self._inputs(component)
        if rows is not None:
            if any(values.ndim == 1 for values in given.values()):
                raise ConfigError(
                    f"sizing {component.name!r} reads everything up to a session, which bars "
                    "within one have not: declare a window"
                )
            given = {name: values[rows] for name, values in given.items()}
            usable, known, late = usable[rows] & (rows >= 0), known[rows], late[rows]
        usable &= np.isfinite(targets)
        values = np.full(targets.size, np.nan)
        if _overrides(component, Sizing, "positions"):
            made = asked(component, component.positions, given, targets)
            values[usable] = numbers_of(component, made, targets.size)[usable]
        else:
            for t in np.flatnonzero(usable):
                at = self.panel.sessions[int(t if rows is None else rows[t])]
                row, target = _row(given, t), float(targets[t])
                made = asked(component, component.position, row, target, at=at)
                values[t] = number_of(component, made, at)
        if np.isinf(values).any():
            raise ConfigError(
                f"sizing {component.name!r} gave an infinite position: give NaN, which is flat, "
                "where its divisor is zero"
            )
        return Outcome(values, known, late)

    def _once(self, component: Component, make: Any) -> Outcome:
        if component not in self._outcomes:
            self._outcomes[component] = make()
        return self._outcomes[component]

    def _labels(self, component: Filter) -> Outcome:
        given, usable, known, late = self._inputs(component)
        values = np.zeros(self.deadline.size)
        if _overrides(component, Filter, "labels"):
            made = asked(component, component.labels, self._common(component, given))
            values[usable] = codes_of(component, made, usable)[usable]
        else:
            remembers = "previous" in inspect.signature(component.label).parameters
            label = "abstain"
            for t in range(values.size):
                if not usable[t]:
                    label = "abstain"
                    continue
                row = _row(given, t) | ({"previous": label} if remembers else {})
                label = asked(component, component.label, row, at=self.panel.sessions[t])
                values[t] = code_of(component, label)
        return Outcome(values, known, late)

    def _targets(self, component: Rule) -> Outcome:
        given, usable, known, late = self._inputs(component)
        values = np.full(self.deadline.size, np.nan)
        if _overrides(component, Rule, "targets"):
            made = asked(component, component.targets, given)
            values[usable] = numbers_of(component, made, values.size)[usable]
        else:
            for t in np.flatnonzero(usable):
                at = self.panel.sessions[int(t)]
                made = asked(component, component.target, _row(given, t), at=at)
                values[t] = number_of(component, made, at)
        worst = np.nanmax(np.abs(values), initial=0.0)
        if worst > 1.0 + 1e-12:
            raise ConfigError(
                f"rule {component.name!r} gave a target of {worst:g}: targets lie in -1 ... 1; "
                "let a sizing scale them"
            )
        return Outcome(values, known, late)

    def _common(self, component: Filter, given: dict[str, Floats]) -> dict[str, Floats]:
        """Return inputs, or what `labels` asks for instead: made of them once for all."""
        make = inspect.getattr_static(type(component), "common", None)
        named = inspect.signature(component.labels).parameters
        if not isinstance(make, staticmethod) or "common" not in named:
            return given
        key = (make, *component.inputs().items())
        if key not in self._commons:
            self._commons[key] = _shared(asked(component, make.__func__, given))
        return {"common": self._commons[key]}

    def _inputs(self, component: Component) -> tuple[dict[str, Floats], Flags, Ints, Flags]:
        n = self.deadline.size
        usable = np.ones(n, dtype=np.bool_)
        known = np.full(n, _NEVER, dtype=np.int64)
        late = np.zeros(n, dtype=np.bool_)
        given = {}
        whole = component.recursive
        for name, past in component.inputs().items():
            window = self._window(past)
            given[name] = window.values
            whole |= past.window is None
            usable &= window.usable
            known = np.maximum(known, window.known_at)
            late |= self._source(past)[2]
        if whole:
            known = np.maximum.accumulate(known)
        return given, usable, known, late

    def _window(self, past: Past) -> Window:
        if past not in self._windows:
            values, known, _ = self._source(past)
            values = _shared(values)
            if past.window is None:
                there = np.isfinite(values)
                self._windows[past] = Window(values, there, np.where(there, known, _NEVER))
            else:
                window = window_of(
                    values,
                    known,
                    past.window,
                    skip_missing=past.skip_missing,
                    complete=past.complete,
                )
                self._windows[past] = replace(window, values=_shared(window.values))
        return self._windows[past]

    def _source(self, past: Past) -> tuple[Floats, Ints, Flags]:
        if isinstance(past.of, Filter):
            outcome = self.labels(past.of)
            return outcome.values, outcome.known_at, outcome.late
        if past.of not in self._columns:
            column = self.panel.column(past.of)
            values, late = hide_late(column, self.deadline)
            known = column.known_at.astype("datetime64[ns]").astype(np.int64)
            if column.scheduled:
                known = np.full(known.size, _NEVER, dtype=np.int64)
            self._columns[past.of] = values, known, late
        return self._columns[past.of]


def _row(given: dict[str, Floats], t: int | np.signedinteger[Any]) -> dict[str, Floats]:
    """Return what the decision of session t reads: its window, or everything up to it."""
    return {name: v[t] if v.ndim == 2 else v[: t + 1] for name, v in given.items()}


def _overrides(component: Component, base: type[Component], method: str) -> bool:
    return getattr(type(component), method) is not getattr(base, method)


def _shared(values: Floats) -> Floats:
    """Return values that nobody can change in place: several components read them."""
    view = values.view()
    view.flags.writeable = False
    return view
