"""What a strategy is: a filter, a rule for each of its labels, and a sizing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from ..data import ConfigError
from .component import Filter, Rule, Sizing, component_id
from .filters.sign import Always, Sign
from .rules.returns import Fade, Flat, Follow
from .sizings.basic import Fixed

__all__ = ["RULED", "Label", "Strategy"]

Label = Literal["long", "short", "neutral", "abstain"]

#: Labels that have a rule; sessions labelled ``abstain`` are always flat.
RULED: Final[tuple[Label, ...]] = ("long", "short", "neutral")


@dataclass(frozen=True, slots=True)
class Strategy:
    """A filter (what is public to label), a rule per label (to target), a sizing (to position).

    Sessions labelled ``abstain`` are always flat: no information, no position.

    Attributes
    ----------
    name : str
        How reports call it; it does not count in `strategy_id`.
    filter : Filter
    long, short, neutral : Rule
        Rules that act under each label.
    sizing : Sizing

    Examples
    --------
    >>> from gexlab.strategies.rules.returns import Hold
    >>> Strategy("mine", neutral=Hold()).describe()
    'sign of the regime: long: fade 1 session by sign; short: follow 1 session by sign; \
neutral: hold; abstain: flat'
    """

    name: str
    filter: Filter = field(default_factory=Sign)
    long: Rule = field(default_factory=Fade)
    short: Rule = field(default_factory=Follow)
    neutral: Rule = field(default_factory=Flat)
    sizing: Sizing = field(default_factory=Fixed)

    def rule(self, label: str) -> Rule:
        """Return the rule that acts under a label.

        Parameters
        ----------
        label : {"long", "short", "neutral", "abstain"}

        Returns
        -------
        Rule
            Flat for ``abstain``.
        """
        rule: Rule = getattr(self, label) if label in RULED else Flat()
        return rule

    def __post_init__(self) -> None:
        _require_one_clock(self)

    @property
    def intraday(self) -> bool:
        """Whether it decides within the session, and so is flat at every close."""
        parts = (self.filter, self.long, self.short, self.neutral)
        return any(part.decides == "bar" for part in parts)

    @property
    def strategy_id(self) -> str:
        """Twelve hexadecimal digits of all components and their parameters."""
        parts = (self.filter, self.long, self.short, self.neutral, self.sizing)
        return hashlib.sha256(":".join(map(component_id, parts)).encode()).hexdigest()[:12]

    def parameters(self) -> dict[str, Any]:
        """Return parameters of rules, filter and sizing by name.

        A name that several parts use is given once where its value is the same, and again under
        the part's own name (``short.lookback``, ``filter.window``) where it differs.

        Returns
        -------
        dict of str to object

        Examples
        --------
        >>> Strategy("mine", short=Follow(lookback=5)).parameters()
        {'lookback': 1, 'scale': 'sign', 'short.lookback': 5, 'on': 'regime', 'band': None, \
'size': 1.0}
        """
        parts: dict[str, dict[str, Any]] = {}
        for label in RULED:
            parts[label] = self.rule(label).parameters()
        of_filter = self.filter.parameters()
        parts["filter"] = {name: _shown(value) for name, value in of_filter.items()}
        parts["sizing"] = self.sizing.parameters()
        found: dict[str, Any] = {}
        for part, parameters in parts.items():
            for name, value in parameters.items():
                differs = name in found and found[name] != value
                found[f"{part}.{name}" if differs else name] = value
        return found

    def describe(self) -> str:
        """Return what it does in one sentence.

        Returns
        -------
        str
        """
        always = isinstance(self.filter, Always)
        labels = ("long",) if always else (*RULED, "abstain")
        acts = "; ".join(f"{label}: {self.rule(label).describe()}" for label in labels)
        size = "" if self.sizing == Fixed() else f"; {self.sizing.describe()}"
        return f"{self.filter.describe()}: {acts}{size}"


def _require_one_clock(strategy: Strategy) -> None:
    """Refuse rules of the close beside parts that decide within the session, and hidden ones."""
    rules = [strategy.rule(label) for label in RULED]
    at_bars = [part for part in (strategy.filter, *rules) if part.decides == "bar"]
    for part in (strategy.filter, *rules, strategy.sizing):
        for past in part.inputs().values():
            if isinstance(past.of, Filter) and past.of.decides != part.decides:
                raise ConfigError(
                    f"{part.kind} {part.name!r} decides at the close and reads {past.of.name!r}, "
                    "which decides at bars: use that filter by itself"
                )
    for rule in rules if at_bars else ():
        if rule.decides != "bar" and rule.inputs():
            raise ConfigError(
                f"rule {rule.name!r} decides at the close, and {at_bars[0].name!r} within the "
                "session: use rules of one kind (hold and flat go with both)"
            )


def _shown(value: Any) -> Any:
    """Return a filter's parameter as results show it: parts by what they do."""
    if isinstance(value, Filter):
        return value.describe()
    if isinstance(value, tuple):
        return [_shown(part) for part in value]
    return value.removeprefix("series.") if isinstance(value, str) else value
