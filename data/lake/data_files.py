"""Parquet files of the lake's tables, named by what they hold and by their own bytes."""

from __future__ import annotations

import hashlib
import os
import uuid
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..base.arrow_values import plain
from ..base.errors import LakeError
from ..base.fingerprints import file_fingerprint
from .delta_log import DataFile
from .integrity import is_inside, require_inside
from .mirror import remote_of
from .naming import folder_of
from .storage import at_once, fetched, forced, read_kept, renewed, sent, stored_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa

__all__ = [
    "DIGITS",
    "ROWS_OF_GROUP",
    "SMALL",
    "Draft",
    "file_bytes",
    "file_damage",
    "partition_folder",
    "read_file",
    "rows_in",
    "write_file",
    "write_files",
    "write_groups",
]

#: Digits of the digest in a file's name.
DIGITS: Final = 12
#: Bytes of rows up to which a file is made in memory, and those from which it is compressed:
#: what is smaller holds less than its own footer.
SMALL: Final = 8 << 20
_TINY: Final = 8 << 10
#: Bytes of rows from which several files are forced to disk by several threads. Below, a file
#: system forces most of them with the first one: threads were measured to take twice as long.
_MANY: Final = 16 << 20
#: Numbers of a column from which they are compressed: the compressor starts up in the time in
#: which it makes a few kilobytes smaller by an eighth.
_COMPRESSED: Final = 512
#: Most rows of a row group.
ROWS_OF_GROUP: Final = 262_144


def partition_folder(partition: Mapping[str, str]) -> str:
    """Return the folder of a partition, with a slash at its end; empty without one."""
    return "".join(
        f"{folder_of(value) if name == 'underlying' else f'{name}={value}'}/"
        for name, value in partition.items()
    )


@dataclass(frozen=True, slots=True)
class Draft:
    """Rows that are to become a file of a table.

    Attributes
    ----------
    table : str
    partition : mapping of str to str
        Key to value, in the order of the folders.
    stem : str
        What the name begins with; its end is the digest of the bytes.
    rows : Table
    tags : mapping of str to str
        What the log says of the file.
    groups : tuple of int
        Rows of each row group, where it matters in which of them rows lie.
    """

    table: str
    partition: Mapping[str, str]
    stem: str
    rows: pa.Table
    tags: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[int, ...] = ()


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
    table, partition, stem, rows, tags
        As in `Draft`.

    Returns
    -------
    DataFile
    """
    [made] = write_files(root, [Draft(table, partition, stem, rows, tags or {})])
    return made


def write_files(root: Path, drafts: Sequence[Draft]) -> list[DataFile]:
    """Write rows to several files of tables, all of them or none.

    They are written in turn: threads would each keep the memory that they encoded in, a hundred
    megabytes over a long history. Then all are forced to disk together (see `storage.put_all`),
    many rows by several threads.

    Parameters
    ----------
    root : Path
        The lake's folder.
    drafts : sequence of Draft

    Returns
    -------
    list of DataFile
        In their order.
    """
    far = remote_of(root) is not None
    many = sum(draft.rows.get_total_buffer_size() for draft in drafts) > _MANY
    folders = [_folder(root, draft) for draft in drafts]
    for folder in dict.fromkeys(folders):
        _ready(folder, root)
    halves = [(draft, _half(folder)) for draft, folder in zip(drafts, folders, strict=True)]
    try:
        digests = [_put_rows(draft.rows, half, draft.groups) for draft, half in halves]
        made = [(*half, digest) for half, digest in zip(halves, digests, strict=True)]
        if far:
            at_once(lambda half: sent(Path(half[1]), Path(_target(*half))), made)
        else:  # a version on disk must not name what is not
            paths = [half for _, half in halves]
            for _ in at_once(forced, paths) if many else map(forced, paths):
                pass
        return [_named(*half) for half in made]
    except BaseException:
        for _, half in halves:
            with suppress(OSError):
                os.unlink(half)
        raise


def write_groups(
    root: Path, draft: Draft, schema: pa.Schema, pieces: Iterable[pa.Table]
) -> tuple[DataFile, list[int]]:
    """Write rows piece by piece to one file, each piece in row groups of its own.

    Parameters
    ----------
    root : Path
        The lake's folder.
    draft : Draft
        Without rows.
    schema : Schema
        Of all pieces.
    pieces : iterable of Table
        One of them at a time is in memory.

    Returns
    -------
    DataFile
    list of int
        Rows of each piece.
    """
    import pyarrow.parquet as pq

    folder = _folder(root, draft)
    _ready(folder, root)
    half, counts, spans = _half(folder), list[int](), list[tuple[str | None, str | None]]()
    try:
        how = _encodings(schema, _TINY, _COMPRESSED)
        with pq.ParquetWriter(half, schema, **how) as writer:
            for rows in pieces:
                if rows.num_rows:
                    writer.write_table(rows, row_group_size=ROWS_OF_GROUP)
                counts.append(rows.num_rows)
                spans.append(_span(rows))
        forced(half)
        digest = file_fingerprint(Path(half))
        sent(Path(half), Path(_target(draft, half, digest)))
        file = _named(draft, half, digest)
    except BaseException:
        with suppress(OSError):
            os.unlink(half)
        raise
    first = min((begin for begin, _ in spans if begin is not None), default=None)
    last = max((end for _, end in spans if end is not None), default=None)
    return replace(file, rows=sum(counts), first=first, last=last), counts


def _folder(root: Path, draft: Draft) -> str:
    """Return the folder of a draft; a path takes longer to make."""
    return f"{root}/{draft.table}/{partition_folder(draft.partition)}".rstrip("/")


def _ready(folder: str, root: Path) -> None:
    """Make a folder where there is none."""
    require_inside(folder, root)  # before anything is made where a link leads
    if not os.path.isdir(folder):
        os.makedirs(folder, exist_ok=True)


def _half(folder: str) -> str:
    """Return where rows are written before they have their name."""
    return f"{folder}/.{uuid.uuid4().hex}.half"


def _target(draft: Draft, half: str, digest: str) -> str:
    """Return the name of a file that is whole."""
    return f"{half.rpartition('/')[0]}/{draft.stem}-{digest[:DIGITS]}.parquet"


def _named(draft: Draft, half: str, digest: str) -> DataFile:
    """Give a file that is whole its name, and say what it is."""
    target = _target(draft, half, digest)
    size = os.stat(half).st_size
    os.replace(half, target)
    first, last = _span(draft.rows)
    path = partition_folder(draft.partition) + target.rpartition("/")[2]
    said = {name: str(value) for name, value in draft.partition.items()}
    rows = draft.rows.num_rows
    return DataFile(path, size, rows, digest, said, first, last, dict(draft.tags))


def _put_rows(rows: pa.Table, path: str, groups: tuple[int, ...]) -> str:
    """Write rows to a new file; return the digest of its bytes."""
    import pyarrow as pa

    size = rows.get_total_buffer_size()  # a fifth of what `nbytes` takes
    how = _encodings(rows.schema, size, rows.num_rows)
    with open(path, "xb") as file:
        if size > SMALL:
            _encode(rows, file, groups, how)
        else:
            made = pa.BufferOutputStream()
            _encode(rows, made, groups, how)
            content = made.getvalue()
            file.write(content)
            return hashlib.sha256(content).hexdigest()
    return file_fingerprint(Path(path))


def _encode(rows: pa.Table, sink: Any, groups: tuple[int, ...], how: dict[str, Any]) -> None:
    """Write rows as Parquet, in the row groups that are asked for, or in as few as may be."""
    import pyarrow.parquet as pq

    with pq.ParquetWriter(sink, rows.schema, **how) as writer:
        at = 0
        for count in groups or (rows.num_rows,):
            writer.write_table(rows.slice(at, count), row_group_size=ROWS_OF_GROUP)
            at += count


def _encodings(schema: pa.Schema, size: int, count: int) -> dict[str, Any]:
    """Return how so many rows of a size are written.

    Numbers hardly recur: their bytes, the first ones of all and so on, compress to two thirds of
    what a dictionary takes, in a quarter of its time; lz4 finds in them what zstd does, as text
    it does not. Of days, counts and coded text a dictionary leaves nothing to compress.
    """
    import pyarrow as pa

    # what a file says besides its columns is kept with a copy of the schema only
    how: dict[str, Any] = {
        "store_schema": bool(schema.metadata),
        "write_statistics": ["session"],
        "write_batch_size": ROWS_OF_GROUP,  # the same bytes: cutting columns small takes longer
    }
    kinds = dict(zip(schema.names, schema.types, strict=True))
    if size < _TINY:
        coded = [name for name, kind in kinds.items() if pa.types.is_dictionary(kind)]
        return how | {"compression": "none", "use_dictionary": coded}
    kinds = {f"{n}.list.element" if pa.types.is_list(k) else n: k for n, k in kinds.items()}
    numbers = [name for name, kind in kinds.items() if pa.types.is_floating(kind)]
    split = numbers if count >= _COMPRESSED else []
    text = [n for n, kind in kinds.items() if pa.types.is_string(kind) or pa.types.is_list(kind)]
    return how | {
        "compression": dict.fromkeys(split, "lz4") | dict.fromkeys(text, "zstd"),
        "use_dictionary": [name for name in kinds if name not in numbers],
        "use_byte_stream_split": split,
    }


def _span(rows: pa.Table) -> tuple[str | None, str | None]:
    """Return the first and the last session of rows."""
    place = rows.schema.get_field_index("session")
    if place < 0 or not rows.num_rows:
        return None, None
    days = rows.column(place)
    if days.type != "date32" or days.null_count:
        # Arrow's own would be the only one of its functions that a rebuild needs: .02 s to import
        known = plain(days).astype("datetime64[D]")
        return str(known.min()), str(known.max())
    # in Arrow's memory: of many rows a copy takes longer than to write them
    numbers = [
        np.frombuffer(chunk.buffers()[1], np.int32, len(chunk), 4 * chunk.offset)
        for chunk in days.chunks
        if len(chunk)
    ]
    ends = min(each.min() for each in numbers), max(each.max() for each in numbers)
    first, last = (str(np.datetime64(int(end), "D")) for end in ends)
    return first, last


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
        whole = file_fingerprint(path) == file.digest
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
