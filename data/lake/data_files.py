"""Parquet files of the lake's tables, named by what they hold and by their own bytes."""

from __future__ import annotations

import hashlib
import os
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import LakeError
from .delta_log import DataFile
from .integrity import file_digest, is_inside, require_inside
from .naming import folder_of
from .storage import fetched, read_kept, renewed, sent, stored_size

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import BinaryIO

    import pyarrow as pa

__all__ = [
    "DIGITS",
    "file_bytes",
    "file_damage",
    "partition_folder",
    "read_file",
    "rows_in",
    "write_file",
]

#: Digits of the digest in a file's name.
DIGITS: Final = 12
#: Bytes of rows up to which a file is made in memory, and those from which it is compressed:
#: what is smaller holds less than its own footer.
_SMALL: Final = 8 << 20
_TINY: Final = 8 << 10


def partition_folder(partition: Mapping[str, str]) -> str:
    """Return the folder of a partition, with a slash at its end; empty without one."""
    return "".join(
        f"{folder_of(value) if name == 'underlying' else f'{name}={value}'}/"
        for name, value in partition.items()
    )


def write_file(
    root: Path,
    table: str,
    partition: Mapping[str, str],
    stem: str,
    rows: pa.Table,
    tags: Mapping[str, str] | None = None,
) -> DataFile:
    """Write rows to a file of a table; it counts once a version names it.

    Parameters
    ----------
    root : Path
        The lake's folder.
    table : str
    partition : mapping of str to str
        Key to value, in the order of the folders.
    stem : str
        What the name begins with; its end is the digest of the bytes.
    rows : Table
    tags : mapping of str to str, optional
        What the log says of the file.

    Returns
    -------
    DataFile
    """
    folder = root / table / partition_folder(partition)
    folder.mkdir(parents=True, exist_ok=True)
    require_inside(folder, root)
    half = folder / f".{uuid.uuid4().hex}.half"
    try:
        with half.open("wb") as file:
            digest = _put_rows(rows, file)
            file.flush()
            os.fsync(file.fileno())  # a version on disk must not name what is not
            size = os.fstat(file.fileno()).st_size
        digest = digest or file_digest(half)
        target = folder / f"{stem}-{digest[:DIGITS]}.parquet"
        sent(half, target)
        half.replace(target)
    except BaseException:
        with suppress(OSError):
            half.unlink(missing_ok=True)
        raise
    first, last = _span(rows)
    path = f"{partition_folder(partition)}{target.name}"
    said = {name: str(value) for name, value in partition.items()}
    return DataFile(path, size, rows.num_rows, digest, said, first, last, dict(tags or {}))


def _put_rows(rows: pa.Table, file: BinaryIO) -> str | None:
    """Write rows to an open file; return the digest of its bytes where they were in memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    size = rows.nbytes
    how: Any = {"compression": "none" if size < _TINY else "zstd", "row_group_size": 262_144}
    if size > _SMALL:
        pq.write_table(rows, file, **how)
        return None
    made = pa.BufferOutputStream()
    pq.write_table(rows, made, **how)
    content = made.getvalue()
    file.write(content)
    return hashlib.sha256(content).hexdigest()


def _span(rows: pa.Table) -> tuple[str | None, str | None]:
    import pyarrow.compute as pc

    if "session" not in rows.column_names or not rows.num_rows:
        return None, None
    found = pc.min_max(rows.column("session"))
    return str(found["min"].as_py()), str(found["max"].as_py())


def file_damage(root: Path, table: str, file: DataFile, *, quick: bool = False) -> str | None:
    """Return what is wrong with a file of a table, None where nothing is.

    Parameters
    ----------
    root : Path
        The lake's folder.
    table : str
    file : DataFile
        As the log names it.
    quick : bool
        Presence, size and footer alone; otherwise every byte.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = root / table / file.path
    size = stored_size(path)
    if size is None:
        return "gone"
    if not is_inside(path, root):
        return "lies outside the lake"
    try:
        if size != file.size:
            return f"{size} bytes long, {file.size} were written"
        if not fetched(path):
            return "gone"
        if quick:
            rows = pq.read_metadata(path).num_rows
            return None if rows == file.rows else f"holds {rows} rows, {file.rows} were written"
        whole = file_digest(path) == file.digest
    except (OSError, pa.ArrowInvalid) as error:
        return f"cannot be read ({str(error).splitlines()[0]})"
    return None if whole else "its bytes are not those that were written"


def file_bytes(root: Path, table: str, file: DataFile, remedy: str) -> bytes:
    """Return the bytes of a small file, compared with the log's digest.

    Raises
    ------
    LakeError
        If they differ, or the file cannot be read; with `remedy`.
    """
    path = root / table / file.path
    try:
        require_inside(path, root)
        content = read_kept(path)
        whole = hashlib.sha256(content).hexdigest() == file.digest
        if not whole and renewed(path):
            content = read_kept(path)
            whole = hashlib.sha256(content).hexdigest() == file.digest
    except OSError as error:
        raise LakeError(f"{path} cannot be read ({error}): {remedy}") from error
    if not whole:
        raise LakeError(f"{path}: its bytes are not those that were written: {remedy}")
    return content


def rows_in(content: bytes) -> Any:
    """Return the rows of a small file's bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    # small: threads would cost more than they save
    return pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)


def read_file(root: Path, table: str, file: DataFile, remedy: str) -> Any:
    """Return the rows of a small file, after its bytes have been compared with the log's digest.

    Raises
    ------
    LakeError
        If they differ, or the file cannot be read; with `remedy`.
    """
    import pyarrow as pa

    content = file_bytes(root, table, file, remedy)
    try:
        return rows_in(content)
    except (OSError, pa.ArrowInvalid) as error:
        raise LakeError(f"{root / table / file.path} cannot be read ({error}): {remedy}") from error
