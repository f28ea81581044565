"""One command for several underlyings: each in a folder of its own, failures named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ...data import GexlabError, encoded_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ...backtest import Config

__all__ = ["ManyRuns", "run_each"]

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ManyRuns(Generic[Result]):
    """What was done for each of several underlyings.

    Attributes
    ----------
    done : dict
        Underlying to result.
    folders : dict of str to Path
        Where each one's files are.
    failed : dict of str to str
        Underlyings without a result, with the reason.
    """

    done: dict[str, Result]
    folders: dict[str, Path]
    failed: dict[str, str]

    def document(self, of: Callable[[str, Result], object]) -> dict[str, Any]:
        """Return one JSON document: each one's own, and the failures."""
        found = {name: of(name, result) for name, result in self.done.items()}
        return {"underlyings": found, "failed": self.failed}


def run_each(
    configs: Mapping[str, Config], out: Path, run: Callable[[Config, Path], Result]
) -> ManyRuns[Result]:
    """Run something for each underlying.

    Raises
    ------
    GexlabError
        If it fails for all of them: the first one's.
    """
    done: dict[str, Result] = {}
    folders: dict[str, Path] = {}
    failed: dict[str, GexlabError] = {}
    for name, config in configs.items():
        folder = out / encoded_name(name)
        try:
            done[name] = run(config, folder)
        except GexlabError as error:
            failed[name] = error
        else:
            folders[name] = folder
    if failed and not done:
        raise next(iter(failed.values()))
    return ManyRuns(done, folders, {name: str(error) for name, error in failed.items()})
