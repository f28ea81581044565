"""Loops of a rebuild, compiled by a second process while the first one simulates and compiles.

Numba compiles one loop at a time in a process. The first process comes to the loops in the order of
the work; this one goes through them from the last step to the first, so that the two meet halfway.
What either has compiled the other finds in the cache.

``python -m gexlab.data.simulate.market.compile_ahead`` is the second process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...base.compiling import interpret_but, is_cached
from ...exposure.definition import DEFAULT
from ...exposure.definition_agreement import sixteen_nets
from ...lake.lake import open_lake
from ...regimes.job import make_job
from ...regimes.session_blocks import evaluated_blocks
from ...regimes.spec import RegimeSpec
from .simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...regimes.session_evaluation import RegimeRows

__all__ = ["BACKWARDS", "compiled_ahead", "tiny_market"]

#: Modules of `exposure` whose loops are compiled together, from the last step of a session's
#: evaluation to those in the middle. What comes before, the first process compiles itself.
BACKWARDS: Final = (
    ("chain_volatility", "variance_swap", "fixed_strike", "contract_matching", "side_tables"),
    ("contradictions", "quality_gate"),
    ("definition_agreement", "chain_checks"),
    ("walls", "expiry_shares", "pairwise", "flips"),
    ("profile_kernel", "book", "book_measures"),
)
_EXPOSURE: Final = "gexlab.data.exposure"


@contextmanager
def compiled_ahead() -> Iterator[None]:
    """Let a second process compile meanwhile, where nothing is cached and there are two cores.

    It is called off where the work is done before it is. Should it fail, the first process compiles
    everything itself.

    Yields
    ------
    None
    """
    if (os.cpu_count() or 1) < 2 or is_cached(sixteen_nets):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="gexlab-") as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, folder],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            process.kill()
            process.wait()


def tiny_market(folder: Path) -> Callable[[], list[RegimeRows]]:
    """Simulate a few sessions, and return a function that evaluates them.

    Parameters
    ----------
    folder : Path
        Gets the lake.

    Returns
    -------
    callable
        Returns the rows of all sessions, computed anew at each call.
    """
    simulate("S1S3", years=0.02, seed=1, lake=folder / "lake", contracts=200, intraday=None)
    lake = open_lake(folder / "lake")
    job, held = make_job(lake, RegimeSpec("SIM", DEFAULT)), lake.held("SIM")
    days = {entry.session for entry in held.sessions}
    return lambda: [rows for block in evaluated_blocks(lake, job, held, days) for rows in block]


def _compile(folder: Path) -> None:
    """Evaluate a tiny market again and again, a few more loops compiled each time."""
    interpret_but(())
    evaluate = tiny_market(folder)
    for known in range(1, len(BACKWARDS) + 1):
        interpret_but({f"{_EXPOSURE}.{name}" for names in BACKWARDS[:known] for name in names})
        evaluate()


if __name__ == "__main__":
    _compile(Path(sys.argv[1]))
