"""From a TOML file, or a mapping like one, to a checked configuration."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ...data import ConfigError
from .config import Config, require_terms
from .config_errors import first_problem
from .market_choice import instrument_in_lake

__all__ = ["load_config", "parse_config"]


def load_config(path: str | Path) -> Config:
    """Read and check a configuration file.

    Parameters
    ----------
    path : str or Path
        A TOML file; the paths in it are relative to its folder.

    Returns
    -------
    Config

    Raises
    ------
    ConfigError
        If the file cannot be read, is not TOML, or says something that is not valid.
    """
    file = Path(path)
    try:
        text = file.read_bytes()
        document = tomllib.loads(text.decode("utf-8"))
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise ConfigError(f"{file}: {reason}: give the path of a configuration file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not a TOML file: {error}; correct that line") from error
    return _build(document, file.parent, str(file))


def parse_config(document: Mapping[str, Any], folder: str | Path = ".") -> Config:
    """Check a configuration that is already a mapping, e.g. built by a program.

    Parameters
    ----------
    document : mapping
        What the TOML file would hold.
    folder : str or Path
        Folder that its paths are relative to.

    Returns
    -------
    Config

    Raises
    ------
    ConfigError
        If it says something that is not valid.

    Examples
    --------
    >>> bars = {"underlying": "SPX", "bars": "spx.csv", "lake": "lake"}
    >>> parse_config({"data": bars}).fill
    'next_close'
    >>> parse_config({"data": {**bars, "bar": "spx.csv"}})
    Traceback (most recent call last):
    gexlab.data.base.errors.ConfigError: configuration: unknown key 'data.bar': did you mean 'bars'?
    """
    return _build(document, Path(folder), "configuration")


def _build(document: Mapping[str, Any], folder: Path, name: str) -> Config:
    try:
        config = Config.model_validate(document, context={"folder": folder.absolute()})
    except ValidationError as error:
        raise ConfigError(f"{name}: {first_problem(error.errors(), Config)}") from error
    return _of_its_lake(config.located(folder.absolute()), name)


def _of_its_lake(config: Config, name: str) -> Config:
    """Return a configuration that leaves its instrument to the lake with what the lake says."""
    data = config.data
    if data.instrument is None:
        stated = instrument_in_lake(config)
        if stated is not None:
            data = data.model_copy(update={"instrument": stated})
            config = config.model_copy(update={"data": data}).located(config.folder)
    try:
        _ = data.instrument_kind
        require_terms(config.execution, data, tuple(config.series))
    except ValueError as error:  # a `ConfigError` is one
        raise ConfigError(f"{name}: {error}") from error
    return config
