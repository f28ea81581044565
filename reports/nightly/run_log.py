"""What a night did, step by step, and ``run.json``: the only place that knows when and how long."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, Literal

from ...data import published_file
from ..terminal.output import plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["EXIT_CODES", "RUN_FILE", "RunLog", "Status", "Step", "write_run"]

RUN_FILE: Final = "run.json"
Status = Literal["fresh", "unchanged", "degraded", "failed"]
EXIT_CODES: Final[dict[str, int]] = {"fresh": 0, "failed": 1, "unchanged": 3, "degraded": 4}


@dataclass(slots=True)
class Step:
    """One step of a night.

    Attributes
    ----------
    name : str
    status : {"done", "unchanged", "skipped", "failed"}
        Done: it made something; unchanged: what it would make is there.
    seconds : float
    counts : dict of str to int
    """

    name: str
    status: str = "done"
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class RunLog:
    """The steps of one night as they happen.

    Attributes
    ----------
    began : datetime
        UTC, by the machine's clock.
    steps : list of Step
    """

    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    steps: list[Step] = field(default_factory=list)
    _clock: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Since the night began."""
        return time.perf_counter() - self._clock

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time a step; one that ends in an error has failed."""
        step = Step(name)
        self.steps.append(step)
        began = time.perf_counter()
        try:
            yield step
        except BaseException:
            step.status = "failed"
            raise
        finally:
            step.seconds = time.perf_counter() - began

    def skipped(self, name: str) -> None:
        """Note a step that the configuration does not ask for."""
        self.steps.append(Step(name, "skipped"))


def write_run(folder: Path, log: RunLog, said: dict[str, Any]) -> Path:
    """Write ``run.json``: what was said of a night, its steps, when it began and how long it took.

    Parameters
    ----------
    folder : Path
    log : RunLog
    said : dict
        Everything but steps and times.
    """
    document = {
        **said,
        "steps": [asdict(step) for step in log.steps],
        "gexlab": version("gexlab"),
        "created_at": log.began,
        "seconds": log.seconds,
    }
    path = folder / RUN_FILE
    with published_file(path) as draft:
        draft.write_text(json.dumps(plain(document), indent=2) + "\n", encoding="utf-8")
    return path
