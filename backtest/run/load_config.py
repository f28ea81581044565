"""From a TOML file, or a mapping like one, to a checked configuration."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from ...data import ConfigError, chosen, encoded_name, is_remote, is_several, open_lake
from .config import Config, require_terms
from .config_errors import first_problem
from .market_choice import instrument_in_lake

__all__ = ["load_config", "load_configs", "parse_config", "read_document"]

#: Stands in the texts of [data] and [series] for the underlying of a run.
_NAME: Final = "{underlying}"


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
    document, file = read_document(path)
    return _build(document, file.parent, str(file))


def load_configs(path: str | Path, underlying: str | None = None) -> dict[str, Config]:
    """Read a configuration for one or several underlyings.

    Parameters
    ----------
    path : str or Path
        A TOML file. ``{underlying}`` in the texts of ``[data]`` and ``[series]`` stands for the
        name (percent-encoded as in a lake's folders where it is part of a path).
    underlying : str, optional
        Instead of the file's ``data.underlying``: a name, names with commas, or a pattern
        (capitals matter), which choose among the lake's.

    Returns
    -------
    dict of str to Config
        By underlying.

    Raises
    ------
    ConfigError
        As `load_config`; and where several underlyings would read the same bars.
    LakeError, UnknownNameError
        If the lake does not hold them.
    """
    document, file = read_document(path)
    data = document.get("data")
    data = data if isinstance(data, dict) else {}
    choice = data.get("underlying") if underlying is None else underlying
    if not isinstance(choice, str) or not is_several(choice):
        names = [] if underlying is None else [underlying]
    else:
        if not isinstance(data.get("lake"), str):
            raise ConfigError(f"{file}: several underlyings ({choice}) need data.lake: add it")
        place = data["lake"] if is_remote(data["lake"]) else file.absolute().parent / data["lake"]
        names = chosen(choice, open_lake(place).underlyings())
    if not names:
        config = _build(document, file.parent, str(file))
        return {config.data.underlying: config}
    if len(names) > 1 and _NAME not in repr([data.get("bars"), data.get("bars_where")]):
        raise ConfigError(
            f"{file}: {len(names)} underlyings would read the same bars: write {_NAME} into "
            f'data.bars or data.bars_where, e.g. bars = "bars/{_NAME}.parquet"'
        )
    return {n: _build(_of(document, n), file.parent, f"{file} ({n})") for n in names}


def _of(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a document with the name of an underlying where it stands for one."""
    found = dict(document)
    for section in ("data", "series"):
        if section in found:
            found[section] = _named(found[section], name)
    found["data"] = {**found["data"], "underlying": name}
    return found


def _named(value: Any, name: str, key: str = "") -> Any:
    if isinstance(value, dict):
        return {k: _named(v, name, f"{key}.{k}") for k, v in value.items()}
    if isinstance(value, list):
        return [_named(v, name, key) for v in value]
    if not isinstance(value, str):
        return value
    # a value of a column is the name itself, a path must not be led astray by it
    return value.replace(_NAME, name if "where" in key else encoded_name(name))


def read_document(path: str | Path) -> tuple[dict[str, Any], Path]:
    """Return what a configuration file says, unchecked, and the file.

    Raises
    ------
    ConfigError
        If it cannot be read, or is not TOML.
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
    return document, file


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
