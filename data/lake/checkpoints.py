"""Checkpoints of a table's log: what it holds at a version, in one Parquet file as Delta has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .logged_files import path_said

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pyarrow as pa

__all__ = [
    "actions_in",
    "adds_by_path",
    "checkpoint_bytes",
    "checkpoint_file",
    "last_checkpoint",
]


def checkpoint_file(log: Path, version: int) -> Path:
    """Return where the checkpoint of a version lies in a log's folder."""
    return log / f"{version:020d}.checkpoint.parquet"


def last_checkpoint(version: int, actions: int) -> bytes:
    """Return what ``_last_checkpoint`` says, by which other programs find it."""
    return json.dumps({"version": version, "size": actions}).encode()


def checkpoint_bytes(head: Mapping[str, Any], adds: Iterable[Mapping[str, Any]]) -> bytes:
    """Return a checkpoint.

    Parameters
    ----------
    head : mapping
        ``protocol`` and ``metaData``, as the first commit has them.
    adds : iterable of mapping
        An ``add`` action for each file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"protocol": head["protocol"]}, {"metaData": head["metaData"]}]
    rows += [{"add": dict(add)} for add in adds]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, schema=_schema()), sink, compression="zstd")
    return bytes(sink.getvalue())


def adds_by_path(content: bytes) -> dict[str, tuple[pa.ChunkedArray, int]]:
    """Return where the ``add`` action of each file of a checkpoint stands, by the file's path."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.ParquetFile(pa.BufferReader(content)).read(columns=["add"], use_threads=False)
    column = table.column("add")
    paths = pc.struct_field(column, "path").to_pylist()
    return {path_said(path): (column, row) for row, path in enumerate(paths) if path is not None}


def actions_in(content: bytes) -> int:
    """Return how many actions a checkpoint holds."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows: int = pq.read_metadata(pa.BufferReader(content)).num_rows
    return rows


def _schema() -> Any:
    import pyarrow as pa

    texts = pa.map_(pa.string(), pa.string())
    return pa.schema(
        {
            "protocol": pa.struct({"minReaderVersion": pa.int32(), "minWriterVersion": pa.int32()}),
            "metaData": pa.struct(
                {
                    "id": pa.string(),
                    "name": pa.string(),
                    "format": pa.struct({"provider": pa.string(), "options": texts}),
                    "schemaString": pa.string(),
                    "partitionColumns": pa.list_(pa.string()),
                    "configuration": texts,
                    "createdTime": pa.int64(),
                }
            ),
            "add": pa.struct(
                {
                    "path": pa.string(),
                    "partitionValues": texts,
                    "size": pa.int64(),
                    "modificationTime": pa.int64(),
                    "dataChange": pa.bool_(),
                    "stats": pa.string(),
                    "tags": texts,
                }
            ),
        }
    )
