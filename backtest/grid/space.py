"""From ``[grid]`` to trials: every combination of market, strategy and execution."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ValidationError

from ...data import ConfigError, UnknownNameError
from ..run.config import Config, require_terms
from ..run.config_errors import first_problem
from ..run.config_sections import DataConfig, RegimeConfig
from ..run.execution_section import ExecutionConfig
from .section import combinations, section_keys, strategies_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ...strategies import Strategy

__all__ = ["Space", "Trial", "Variant", "plain_space", "space_of"]

#: Keys of [regime] that a published series does not have.
_OF_CHAINS: Final = ("dealer_model", "positions", "book", "band", "definition")
_ERA: Final = re.compile(r"(\d{4}(?:-\d\d-\d\d)?)?\s*\.\.\s*(\d{4}(?:-\d\d-\d\d)?)?")


@dataclass(frozen=True, slots=True)
class Variant:
    """One market: a configuration without a grid, and what tells it from the others.

    Attributes
    ----------
    config : Config
    parameters : mapping of str to object
        ``underlying, start, end`` and what [regime] says, as shown.
    """

    config: Config
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trial:
    """One combination.

    Attributes
    ----------
    trial_id : str
        Twelve hexadecimal digits of everything that it says, not of the data.
    number : int
        Its place among the trials on its market.
    variant : Variant
    strategy : Strategy
    execution : ExecutionConfig
        With the fill that applies.
    """

    trial_id: str
    number: int
    variant: Variant
    strategy: Strategy
    execution: ExecutionConfig


@dataclass(frozen=True, slots=True)
class Space:
    """All trials of a grid: the product of three lists.

    Attributes
    ----------
    variants : tuple of Variant
    strategies : tuple of Strategy
    executions : tuple of ExecutionConfig
        Without a fill: each market's own.
    """

    variants: tuple[Variant, ...]
    strategies: tuple[Strategy, ...]
    executions: tuple[ExecutionConfig, ...]

    @property
    def size(self) -> int:
        """Number of combinations, equal ones counted each."""
        return len(self.variants) * len(self.strategies) * len(self.executions)

    @property
    def within(self) -> tuple[Strategy, ...]:
        """Strategies that decide within the session, at intraday bars."""
        return tuple(strategy for strategy in self.strategies if strategy.intraday)

    def trials_of(self, variant: Variant, numbers: Sequence[int] | None = None) -> list[Trial]:
        """Return the trials on one market: by strategy, then by execution.

        One that decides within the session fills at the next bar whatever `fill` says: under
        several fills it is one trial, of the first.

        Parameters
        ----------
        variant : Variant
        numbers : sequence of int, optional
            Places of those wanted; all of them where left out.
        """
        fills = [
            e if e.fill else e.model_copy(update={"fill": variant.config.fill})
            for e in self.executions
        ]
        at_bars = [e.model_copy(update={"fill": fills[0].fill}) for e in fills]
        ends, ends_at_bars = (
            [execution.model_dump_json(exclude=execution.unsaid) for execution in each]
            for each in (fills, at_bars)
        )
        market = json.dumps(dict(variant.parameters), sort_keys=True, default=str)
        each = len(self.executions)
        chosen = range(len(self.strategies) * each) if numbers is None else numbers
        parts = {s: self.strategies[s].strategy_id for s in {number // each for number in chosen}}

        def made(number: int) -> Trial:
            s, e = divmod(number, each)
            within = self.strategies[s].intraday
            execution, end = (at_bars[e], ends_at_bars[e]) if within else (fills[e], ends[e])
            name = _id(market, parts[s], end)
            return Trial(name, number, variant, self.strategies[s], execution)

        return [made(number) for number in chosen]


def _id(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def space_of(config: Config) -> Space:
    """Return what the section ``[grid]`` of a configuration spans.

    Raises
    ------
    ConfigError
        If there is none, or a combination is not valid.
    UnknownNameError
        If a component, parameter or value is not known.
    """
    section = config.grid
    if not section:
        raise ConfigError(
            'the configuration has no [grid]: add one, e.g. [grid] filters = ["sign"], '
            'rules = [{ long = "fade", short = "follow" }]'
        )
    keys = section_keys()
    executions = tuple(
        _validated(ExecutionConfig, config.execution, chosen, config.folder)
        for chosen in combinations(_choices(section, keys["execution"]))
    )
    variants = tuple(_variants(config, _choices(section, keys["regime"])))
    for variant in variants:
        for execution in executions:
            try:
                require_terms(execution, variant.config.data, tuple(config.series))
            except ValueError as error:
                raise ConfigError(f"grid: {error}") from error
    return Space(
        variants,
        strategies_in(section, config.folder),
        executions,
    )


def plain_space(config: Config, strategies: tuple[Strategy, ...]) -> Space:
    """Return the space of some strategies on the market and execution that a configuration has."""
    plain = config.model_copy(update={"grid": {}})
    return Space((Variant(plain, _parameters(plain)),), strategies, (config.execution,))


def _choices(section: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, list[Any]]:
    """Return the values of each key; a table with lists stands for several tables."""
    found = {}
    for key in keys:
        if key in section:
            value = section[key]
            tuple_valued = key == "promote" and not (
                isinstance(value, list) and all(isinstance(item, list) for item in value)
            )
            items = value if isinstance(value, list) and not tuple_valued else [value]
            if not items:
                raise ConfigError(f"grid.{key}: expected at least one, found an empty list")
            found[key] = [single for item in items for single in _spread(item)]
    return found


def _spread(value: Any) -> Iterator[Any]:
    if not isinstance(value, dict):
        yield value
        return
    yield from combinations(
        {key: item if isinstance(item, list) else [item] for key, item in value.items()}
    )


def _validated(
    model: type[BaseModel], base: BaseModel, changes: Mapping[str, Any], folder: Path
) -> Any:
    """Return a section with some keys changed, checked as if the file said so."""
    stated = {name: getattr(base, name) for name in base.model_fields_set} | dict(changes)
    plain = {k: v.model_dump() if isinstance(v, BaseModel) else v for k, v in stated.items()}
    try:
        return model.model_validate(plain, context={"folder": folder})
    except ValidationError as error:
        raise ConfigError(f"grid: {first_problem(error.errors(), model)}") from error


def _variants(config: Config, regimes: Mapping[str, list[Any]]) -> Iterator[Variant]:
    plain = config.model_copy(update={"grid": {}})
    unknown = [key for key in _OF_CHAINS if key in regimes and config.regime.source == "series"]
    if unknown and "source" not in regimes:
        raise ConfigError(
            f"grid.{unknown[0]} is about chains, and the regime is a published series: leave it "
            'out, or use regime.source = "lake"'
        )
    for data in _data_sections(config):
        for chosen in combinations(regimes):
            regime = _validated(RegimeConfig, config.regime, chosen, config.folder)
            made = plain.model_copy(update={"data": data, "regime": regime})
            yield Variant(made, _parameters(made))


def _data_sections(config: Config) -> Iterator[DataConfig]:
    underlyings = config.grid.get("underlyings", [{}])
    eras = config.grid.get("eras", [{}])
    for name, value in (("underlyings", underlyings), ("eras", eras)):
        if not isinstance(value, list) or not value:
            raise ConfigError(f"grid.{name}: expected a list, found {value!r}")
    for underlying in underlyings:
        for era in eras:
            changes = {**_underlying(config, underlying), **_era(era)}
            yield _validated(DataConfig, config.data, changes, config.folder)


def _underlying(config: Config, stated: Any) -> dict[str, Any]:
    changes = {"underlying": stated} if isinstance(stated, str) else stated
    if not isinstance(changes, dict):
        raise ConfigError(
            'grid.underlyings: expected names, or tables such as { underlying = "NDX", bars = '
            f'"ndx.parquet" }}; found {stated!r}'
        )
    for key in changes:
        if key not in DataConfig.model_fields:
            raise UnknownNameError("key of grid.underlyings", key, tuple(DataConfig.model_fields))
    name = changes.get("underlying", config.data.underlying)
    own_bars = "bars" in changes or "bars_where" in changes
    if name != config.data.underlying and not own_bars:
        raise ConfigError(
            f"grid.underlyings: {name!r} needs bars of its own: write {{ underlying = "
            f'"{name}", bars = "..." }} (data.bars are those of {config.data.underlying!r})'
        )
    return changes


def _era(stated: Any) -> dict[str, Any]:
    """Return start and end of an era.

    Examples
    --------
    >>> _era("2011..2014-06-30")
    {'start': datetime.date(2011, 1, 1), 'end': datetime.date(2014, 6, 30)}
    """
    if isinstance(stated, dict) and set(stated) <= {"start", "end"}:
        return dict(stated)
    found = _ERA.fullmatch(stated.strip()) if isinstance(stated, str) else None
    if found is None:
        raise ConfigError(
            'grid.eras: expected texts such as "2011..2014" or "2011-05-01..", or tables { start '
            f"= ..., end = ... }}; found {stated!r}"
        )
    ends = zip(("start", "end"), found.groups(), ("-01-01", "-12-31"), strict=True)
    try:
        return {
            key: date.fromisoformat(text if len(text) > 4 else text + rest)
            for key, text, rest in ends
            if text
        }
    except ValueError as error:
        raise ConfigError(f"grid.eras: {stated!r}: {error}; correct it") from error


def _parameters(config: Config) -> dict[str, Any]:
    data, regime = config.data, config.regime
    chains = regime.source == "lake"
    shown: dict[str, Any] = {
        "underlying": data.underlying,
        "start": data.start,
        "end": data.end,
        "source": regime.source,
    }
    for name in RegimeConfig.model_fields:
        if name in ("source", "series"):
            continue
        value = getattr(regime, name)
        if name in _OF_CHAINS and not chains:
            value = None
        shown[name] = value.name if isinstance(value, Path) else value
    return shown
