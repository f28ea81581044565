"""How many examples a property is tried on, and where they come from.

The default suite draws the same examples on every machine and every day; `make random` draws
new ones, a hundred times as many. Each property states its number for the default suite.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from hypothesis import HealthCheck, settings

__all__ = ["FIXED", "RANDOM", "TIMES", "examples", "register_profiles"]

FIXED = "fixed"
RANDOM = "random"
TIMES = 100
_DEFAULT = 100
# how fast a machine is, or that a fixture is shared by all examples, is no finding
_NO_FINDING = (
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.function_scoped_fixture,
)


def register_profiles() -> None:
    """Register both profiles and load the fixed one; `--hypothesis-profile` chooses the other."""
    common: dict[str, Any] = {"deadline": None, "suppress_health_check": _NO_FINDING}
    settings.register_profile(
        FIXED, derandomize=True, database=None, max_examples=_DEFAULT, **common
    )
    settings.register_profile(
        RANDOM, derandomize=False, max_examples=TIMES * _DEFAULT, print_blob=True, **common
    )
    settings.load_profile(FIXED)
    _keep_local_constants_out()


def _keep_local_constants_out() -> None:
    """Keep numbers that stand in the project's own modules out of the fixed draws.

    Hypothesis draws constants from whatever local modules are imported at the time, so that the
    order of tests, the number of workers and the folder's name would choose the examples.
    """
    providers: Any = import_module("hypothesis.internal.conjecture.providers")
    nothing, local = providers.Constants(), providers._get_local_constants
    providers._get_local_constants = lambda: nothing if settings().derandomize else local()


def examples(number: int) -> settings:
    """Return the settings of a property: `number` examples in the default suite."""
    return settings(max_examples=max(1, number * settings().max_examples // _DEFAULT))
