"""Definitions from users' files and tables, with the curves that they name."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..base.errors import DefinitionError, UnknownNameError
from ..exposure.definition import CURVES, CurveFile, Definition
from .rates import curve_file

__all__ = ["curve_paths", "definition_from_table", "load_definition"]


def load_definition(path: str | Path | Mapping[str, Any]) -> Definition:
    """Read a definition from a TOML file whose keys are the fields of `Definition`.

    Curves are given by the paths of their files, relative to the TOML file. A mapping of the same
    keys will do, its paths relative to the working directory.

    Parameters
    ----------
    path : str, Path or mapping

    Returns
    -------
    Definition

    Raises
    ------
    DefinitionError
        If the file cannot be read, or a key or value is not valid.
    InputFileError
        If the file of a curve cannot be read.
    """
    if isinstance(path, Mapping):
        return definition_from_table(path, Path())
    try:
        path = Path(path).expanduser()
    except TypeError as error:
        raise DefinitionError(
            "expected the path of a definition's file or a mapping of its settings, found "
            f"{type(path).__name__}: give one of them"
        ) from error
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DefinitionError(
            f"{path}: no readable definition ({error.strerror}): correct its path"
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DefinitionError(
            f"{path}: not a readable TOML definition: {error}; correct that line"
        ) from error
    return definition_from_table(values, path.parent, str(path))


def definition_from_table(
    values: Mapping[str, Any], folder: Path, name: str = "definition"
) -> Definition:
    """Return a definition from a table whose keys are the fields of `Definition`.

    Parameters
    ----------
    values : mapping
        Curves are given by the paths of their files.
    folder : Path
        What those paths are relative to.
    name : str
        Where the table was read, for messages.

    Returns
    -------
    Definition

    Raises
    ------
    DefinitionError, UnknownNameError, InputFileError
    """
    known = [f.name for f in fields(Definition) if f.init]
    for key in values:
        if key not in known:
            raise UnknownNameError(f"key of the definition {name}", str(key), known)
    try:
        return Definition(**dict(values) | _curves_beside(folder, name, values))
    except TypeError as error:
        raise DefinitionError(f"{name}: {error}: correct the value's type") from error


def curve_paths(stated: str | Path | Mapping[str, Any], folder: Path) -> tuple[Path, ...]:
    """Return the files of the curves that a definition names, none of them read.

    Parameters
    ----------
    stated : str, Path or mapping
        A name, the path of a TOML file, or a table: one that has been read as a definition.
    folder : Path
        What the paths of a table are relative to.

    Returns
    -------
    tuple of Path

    Raises
    ------
    OSError
        If the TOML file is gone.
    """
    if not isinstance(stated, Mapping):
        path = Path(stated).expanduser()
        if path.suffix != ".toml":
            return ()
        stated, folder = tomllib.loads(path.read_text(encoding="utf-8")), path.parent
    return tuple(folder / Path(stated[key]).expanduser() for key in CURVES if key in stated)


def _curves_beside(folder: Path, name: str, values: Mapping[str, Any]) -> dict[str, CurveFile]:
    """Return the curves that a definition's table names."""
    found = {}
    for key in CURVES:
        if key in values:
            text = values[key]
            if not isinstance(text, str):
                raise DefinitionError(
                    f"{name}: {key}: expected the path of a file, found {text!r}; correct it"
                )
            found[key] = curve_file(folder / Path(text).expanduser())
    return found
