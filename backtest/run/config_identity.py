"""What a configuration is: the digest of its settings, and the definition that it states."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...data import (
    CURVES,
    DEFAULT_NAME,
    PEER_RULES,
    DefinitionError,
    UnknownNameError,
    definition_from_table,
)

__all__ = ["checked_definition", "settings_digest"]


def settings_digest(settings: Mapping[str, Any], folder: Path) -> str:
    """Return the SHA-256 of settings; paths count as seen from the configuration's folder."""
    text = json.dumps(_relative(settings, folder), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _relative(value: Any, folder: Path) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _relative(inner, folder) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_relative(inner, folder) for inner in value]
    if isinstance(value, Path) or (isinstance(value, str) and os.path.isabs(value)):
        return Path(os.path.relpath(value, folder)).as_posix()
    return value


def checked_definition(value: str | dict[str, Any], folder: Path) -> str | dict[str, Any]:
    """Check a definition as far as that goes without its files, and make its paths absolute.

    Raises
    ------
    UnknownNameError, DefinitionError
    """
    if isinstance(value, str):
        return _checked_name(value, folder)
    names = [name for name in CURVES if name in value]
    for name in names:
        if not isinstance(value[name], str):
            raise DefinitionError(f"{name} must be the path of a file, found {value[name]!r}")
    plain = {name: setting for name, setting in value.items() if name not in names}
    checked = definition_from_table(plain, folder, "in the configuration")
    for name in names:
        if getattr(checked, CURVES[name]):
            raise DefinitionError(f"{CURVES[name]} stands beside {name}: leave one of them out")
    settings = {name: getattr(checked, name) for name in plain}
    return settings | {name: str(_near(value[name], folder)) for name in names}


def _checked_name(name: str, folder: Path) -> str:
    if name.endswith(".toml"):
        return str(_near(name, folder))
    if name != DEFAULT_NAME and name not in PEER_RULES:
        kind = "definition (a name, the path of a .toml file, or a table)"
        raise UnknownNameError(kind, name, (DEFAULT_NAME, *PEER_RULES))
    return name


def _near(path: str, folder: Path) -> Path:
    return (folder / Path(path).expanduser()).absolute()
