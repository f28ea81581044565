"""Finding hypotheses by name: the built-in ones and users' own.

A package offers its own through an entry point of the group ``gexlab.hypotheses`` that names an
object with a `card` and a `run` (a `Hypothesis`, say):

.. code-block:: toml

    [project.entry-points."gexlab.hypotheses"]
    my-claim = "my_package.claims:HYPOTHESIS"
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from ...data import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .protocol import HypothesisLike

__all__ = ["BUILT_IN", "GROUP", "hypothesis", "hypothesis_names"]

GROUP: Final = "gexlab.hypotheses"

#: Name to module, in the order in which reports show them.
BUILT_IN: Final[Mapping[str, str]] = {
    "vol-damping": "vol_damping",
    "beyond-leverage": "beyond_leverage",
    "momentum-split": "momentum_split",
    "momentum-interaction": "momentum_interaction",
    "close-reversal": "close_reversal",
    "autocorr-regime": "autocorr_regime",
    "fade-follow": "fade_follow",
    "flip-placebo": "flip_placebo",
    "expiry-did": "expiry_did",
    "pin-distance": "pin_distance",
    "sign-audit": "sign_audit",
    "fragility-tail": "fragility_tail",
    "letf-rebalance": "letf_rebalance",
    "era-split": "era_split",
    "vendor-parity": "vendor_parity",
    "screenshot-vs-dynamic": "screenshot_dynamic",
}


def hypothesis_names() -> tuple[str, ...]:
    """Return every name: built-in ones first, then users' own in alphabetical order.

    Returns
    -------
    tuple of str
    """
    own = {point.name for point in entry_points(group=GROUP)}
    return (*BUILT_IN, *sorted(own - set(BUILT_IN)))


def hypothesis(name: str) -> HypothesisLike:
    """Return a hypothesis by name.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    ConfigError
        If a user's entry point cannot be loaded, or offers something without card and run.
    """
    if name in BUILT_IN:
        found: HypothesisLike = import_module(f".{BUILT_IN[name]}", __package__).HYPOTHESIS
        return found
    points = [point for point in entry_points(group=GROUP) if point.name == name]
    if not points:
        raise UnknownNameError("hypothesis", name, hypothesis_names())
    return _loaded(points[0].value, points[0].load)


def _loaded(place: str, load: object) -> HypothesisLike:
    from .protocol import HypothesisLike

    assert callable(load)
    try:
        found = load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"entry point {place!r} of group {GROUP} cannot be loaded: {error}; mend or remove it"
        ) from error
    if not isinstance(found, HypothesisLike):
        raise ConfigError(
            f"entry point {place!r} of group {GROUP} gives a {type(found).__name__} without card "
            "and run: give a gexlab.backtest.hypotheses.protocol.Hypothesis"
        )
    return found
