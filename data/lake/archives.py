"""Versions of a lake that archived runs name: `vacuum` spares them, however old they are."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..base.errors import LakeError
from .data_files import write_file
from .delta_log import TableShape
from .lake import open_lake
from .storage import TakenError
from .versions import ARCHIVES, ATTEMPTS, Change, archived, commit, newest

if TYPE_CHECKING:
    import os

    from .lake import Lake

__all__ = ["archive_version"]


def archive_version(lake: Lake | str | os.PathLike[str], version: int, run: str) -> bool:
    """Note that a run which is kept was computed from a version of a lake.

    Parameters
    ----------
    lake : Lake, str or Path
    version : int
        That can be read.
    run : str
        What the run is called.

    Returns
    -------
    bool
        False where a run that is kept names the version already.

    Raises
    ------
    LakeError
        If there is no such version, or the lake cannot be written.
    """
    import pyarrow as pa

    root = open_lake(lake, as_of=version).root
    schema = pa.schema(
        [("version", pa.int64()), ("run", pa.string()), ("at", pa.timestamp("us", tz="UTC"))]
    )
    row = {"version": version, "run": run, "at": datetime.now(UTC)}
    rows = pa.Table.from_pylist([row], schema=schema)
    for attempt in range(ATTEMPTS):
        before = newest(root)
        if version in archived(root, before):
            return False
        tags = {"version": str(version)}
        try:
            file = write_file(root, ARCHIVES, {}, f"v{before.number + 1}", rows, tags)
            change = Change(ARCHIVES, TableShape(schema, ()), (file,))
            commit(root, before, [change], operation="archive", underlying=None, sessions=0)
        except TakenError:
            time.sleep(min(0.002 * attempt, 0.05))
        except OSError as error:
            raise LakeError(
                f"cannot write to the lake {root}: {error.strerror or error}; the run is archived, "
                f"but vacuum does not know that it names version {version}"
            ) from error
        else:
            return True
    raise LakeError(f"the lake {root} is written to without a pause: try again")
