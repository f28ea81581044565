"""Where gexlab keeps what it computed once for a machine: compiled loops, calendars.

Beside the sources where they can be written to, as Numba does by itself; else the folder that
``GEXLAB_CACHE_DIR`` names, or one of this user among the temporary files.
"""

from __future__ import annotations

import logging
import os
import stat
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from .errors import ConfigError

__all__ = ["CACHE_VARIABLE", "fall_back", "folder_asked_for", "temporary_folder"]

#: Environment variable that names the folder of compiled code.
CACHE_VARIABLE: Final = "GEXLAB_CACHE_DIR"

_log = logging.getLogger("gexlab")


@cache
def folder_asked_for() -> Path | None:
    """Return the folder that the environment names, if it names one, and let Numba use it.

    Raises
    ------
    ConfigError
        If it cannot be written to.
    """
    name = os.environ.get(CACHE_VARIABLE)
    if not name:
        return None
    folder = Path(name).expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ConfigError(
            f"{CACHE_VARIABLE}={name}: {error.strerror or 'cannot be written to'}: name a folder "
            "that you may write to, or unset it"
        ) from error
    _use(folder)
    return folder


@cache
def fall_back() -> None:
    """Take a folder of this user among the temporary files for compiled code, and say so once."""
    folder = temporary_folder()
    if folder is None:
        _log.warning(
            "nowhere to keep compiled code (no writable home, installation or temporary folder): "
            "every run compiles again, about a minute; set %s to a folder you may write to",
            CACHE_VARIABLE,
        )
        return
    _log.warning(
        "compiled code is kept in %s, because neither the installation nor a home can be written "
        "to; set %s to keep it elsewhere",
        folder,
        CACHE_VARIABLE,
    )
    _use(folder)


def temporary_folder() -> Path | None:
    """Return a folder that only this user can write to: what lies in it is going to be executed."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    try:
        folder = Path(tempfile.gettempdir()) / f"gexlab-cache-{user}"
        folder.mkdir(mode=0o700, exist_ok=True)
        state = folder.lstat()
        ours = not hasattr(os, "getuid") or (
            stat.S_ISDIR(state.st_mode) and state.st_uid == user and not state.st_mode & 0o022
        )
        if not ours:  # somebody else's, or open to others: never run code from there
            folder = Path(tempfile.mkdtemp(prefix="gexlab-cache-"))
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return None
    return folder


def _use(folder: Path) -> None:
    # Numba reads the environment when it is imported, and worker processes inherit it
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    numba = sys.modules.get("numba")
    if numba is not None:
        numba.core.config.CACHE_DIR = str(folder)
