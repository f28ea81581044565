"""The stored inputs of a night, laid out as they lay then.

Paths count in results as seen from the configuration's folder. Copies therefore lie in a folder of
their own under the same ways to each other, while the lake's tables are read where they are: it
keeps its versions. The ledger of that place is empty and goes with it.
"""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from ...data import GexlabError, is_remote
from .stored import stored_copy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...backtest import Config
    from .stored import StoredFile, StoredNight

__all__ = ["laid_out"]

#: Keys of a configuration whose values are paths.
_PATHS: Final = frozenset(
    {
        "lake", "bars", "intraday", "positions", "path", "definition", "rate_curve",
        "dividend_curve", "paths", "map", "out",
    }
)  # fmt: skip
#: Tables whose keys are columns of somebody's file.
_COLUMNS: Final = ("where", "columns")


@contextmanager
def laid_out(out: Path, stored: StoredNight) -> Iterator[Config]:
    """Give the configuration of a stored night, whose files are those that it read.

    Parameters
    ----------
    out : Path
        Folder of the nights.
    stored : StoredNight

    Yields
    ------
    Config

    Raises
    ------
    StoredInputError
        If a copy is gone or was changed.
    LakeError
        If the lake is gone.
    """
    folder = Path(os.path.normpath(out.absolute() / stored.folder))
    with TemporaryDirectory(prefix="gexlab-replay-") as made:
        root = Path(made)
        try:
            for file in (stored.configuration, *stored.inputs):
                _lay(out, file, stored.night, root, folder)
            yield _configuration(out, stored, root, folder)
        except GexlabError as error:
            # what is said of files there is true of those that they stand for
            raise _said_of_originals(error, made) from error


def _said_of_originals(error: GexlabError, root: str) -> GexlabError:
    text = str(error)
    if root not in text:
        return error
    try:
        return type(error)(text.replace(root, ""))
    except TypeError:  # its message is made of parts
        return GexlabError(text.replace(root, ""))


def _inside(root: Path, path: Path) -> Path:
    return root / path.relative_to(path.anchor)


def _original(folder: Path, path: str) -> Path:
    return Path(os.path.normpath(folder / path))


def _lay(out: Path, file: StoredFile, night: str, root: Path, folder: Path) -> None:
    target = _inside(root, _original(folder, file.path))
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(stored_copy(out, file, night), target)


def _configuration(out: Path, stored: StoredNight, root: Path, folder: Path) -> Config:
    from ...backtest import parse_config

    text = stored_copy(out, stored.configuration, stored.night).read_text(encoding="utf-8")
    document = _moved(tomllib.loads(text), root)
    if stored.instrument is not None:
        document["data"].setdefault("instrument", stored.instrument)
    if "path" in document.get("ledger", {}) or is_remote(document["data"].get("lake")):
        # a replay counts nothing where trials are counted
        document.setdefault("ledger", {})["path"] = str(root / "ledger")
    config = parse_config(document, _inside(root, folder))
    config = config.until(None if stored.end is None else date.fromisoformat(stored.end))
    if stored.lake is not None and "://" not in stored.lake:
        config = config.with_lake_at(_original(folder, stored.lake))
    if stored.lockbox is not None:
        _lock(config, stored.lockbox)
    return config


def _moved(value: Any, root: Path, key: str = "") -> Any:
    """Return a configuration's document with absolute paths led to what stands for them."""
    if isinstance(value, Mapping):
        if key.endswith(_COLUMNS):
            return dict(value)
        return {name: _moved(inner, root, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_moved(inner, root, key) for inner in value]
    code = isinstance(value, str) and value.rpartition(":")[0].endswith(".py")
    if not isinstance(value, str) or "://" in value or (key not in _PATHS and not code):
        return value
    path = Path(value).expanduser()
    return str(_inside(root, path)) if path.is_absolute() else value


def _lock(config: Config, box: Mapping[str, Any]) -> None:
    """Set the lockbox that the market had, opened or not."""
    from ...backtest import restore_lockbox

    restore_lockbox(config, date.fromisoformat(box["first"]), opened=box["opened_at"] is not None)
