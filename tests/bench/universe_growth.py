"""What commands over a universe need while it grows: memory of each process, time per contract."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from make_universe import make_universe
from watched import Watched, gexlab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["BUDGETS", "grown"]

#: What the client and each worker may hold at their peak, MB, by command and processes at work; as
#: docs/scaling.md says.
BUDGETS: Final = {
    ("ingest", 1): (700, 0), ("ingest", 2): (300, 800), ("rebuild", 1): (550, 0),
    ("rebuild", 2): (300, 550), ("regimes", 1): (350, 0), ("cross-section", 1): (400, 0),
    ("verify", 1): (200, 0),
}  # fmt: skip
_TIMED: Final = ("ingest", "rebuild")


def grown(folder: Path, sizes: list[int], sessions: int, contracts: int) -> bool:
    """Run the same commands on universes of several sizes; print what each process needed.

    Parameters
    ----------
    folder : Path
    sizes : list of int
        Names of each universe, rising.
    sessions, contracts : int
        Of each name; contracts a session.

    Returns
    -------
    bool
        Whether every peak stayed within its budget.
    """
    costs: dict[tuple[str, int], list[float]] = {}
    within = True
    for names in sizes:
        millions = names * sessions * contracts / 1e6
        for name, workers, done in _done(folder, names, sessions, contracts):
            costs.setdefault((name, workers), []).append(done.processor / millions)
            text, kept = _judged(name, workers, done)
            within &= kept
            _say(f"{names:5} names, {millions:.2f} million contracts: {text}")
    for (name, workers), found in costs.items():
        if name in _TIMED:
            said = ", ".join(f"{cost:.2f}" for cost in found)
            _say(
                f"{name}, {workers} at work: {said} s of processor time per million contracts, "
                f"start-up included (last over first {found[-1] / found[0]:.2f})"
            )
    return within


def _done(
    folder: Path, names: int, sessions: int, contracts: int
) -> Iterator[tuple[str, int, Watched]]:
    """Yield each command that was run on a universe, and by how many processes."""
    file, mapping = make_universe(folder, names, sessions, contracts)
    for workers in (1, 2):
        spread: list[object] = ["--workers", workers] if workers > 1 else []
        steps: dict[str, list[object]] = {
            "ingest": [file, "--vendor", "columns", "--map", mapping, *spread],
            "rebuild": spread,
        }
        if workers == 1:
            tables = folder / f"tables-{names}"
            steps["regimes"] = ["--out", folder / f"regimes-{names}.parquet"]
            steps["cross-section"] = ["--test", "--long-short", "--out", tables]
            steps["verify"] = []
        lake = folder / f"lake-{names}-{workers}"
        for name, options in steps.items():
            done = gexlab(name, *options, "--underlying", "*", "--lake", lake, "--json")
            yield name, workers, done


def _judged(name: str, workers: int, done: Watched) -> tuple[str, bool]:
    """Return what a command needed, in words, and whether it stayed within its budget."""
    client, worker = BUDGETS[name, workers]
    kept = done.client <= client and (not worker or done.worker <= worker)
    text = (
        f"{name:13} {workers} at work {done.processor:7.1f} s of processor time, "
        f"{done.seconds:7.1f} s by the clock, client {done.client:.0f} of {client} MB"
    )
    if worker:
        text += f", largest worker {done.worker:.0f} of {worker} MB"
    return text if kept else f"{text}: ABOVE ITS BUDGET", kept


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
