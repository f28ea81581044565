"""Columns that stand in files of their own: open interest, quotes, definitions, spot."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pyarrow as pa

from ..base.errors import ConfigError, InputFileError
from ..base.schema import CHAIN_COLUMNS
from ..base.sql import load_sql
from ..vendors.column_map import mapped
from ..vendors.projection import projected, raw_key
from ..vendors.vendor_preset import Join
from .files import find_files, opened
from .joined_file import JoinedFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ..vendors.vendor_preset import Preset

__all__ = ["JoinedFile", "fingerprinted", "joined_files", "with_joins"]

_CONTRACT: Final = ("expiry", "strike", "right", "root")


def with_joins(preset: Preset, mapping: Mapping[str, Any], folder: Path) -> Preset:
    """Return a preset with the joins of a column map.

    Parameters
    ----------
    preset : Preset
        With the map's other tables laid over it.
    mapping : mapping
        See `mapping.read_mapping`.
    folder : Path
        Relative paths of files are looked for here, then in the working folder.

    Raises
    ------
    ConfigError
        If a join names no files or columns, or has no key.
    """
    joins = tuple(
        _join(name, said, preset, folder) for name, said in mapping.get("join", {}).items()
    )
    return replace(preset, joins=joins) if joins else preset


def _join(name: str, said: Mapping[str, Any], preset: Preset, folder: Path) -> Join:
    where = f"[join.{name}]"
    if "files" not in said:
        raise ConfigError(f"{where} files is missing: name the file or folder that is joined")
    names = said["files"] if isinstance(said["files"], list) else [said["files"]]
    files = tuple(str(folder / n) if list(_present(folder, n)) else str(n) for n in names)
    columns = dict(said.get("columns", {}))
    if name in CHAIN_COLUMNS and name not in columns and name not in said.get("constants", {}):
        raise ConfigError(f"{where} columns is missing: say which column is {name}")
    stated = {*columns, *said.get("constants", {}), *said.get("path", {})}
    if "symbol" in stated:
        stated |= set(_CONTRACT)
    keys = _keys(said.get("keys"), stated, preset, where)
    given = tuple(n for n in columns if n not in {theirs for _, theirs in keys} and n != "symbol")
    # stamps tell which of several rows is the last; contracts of one snapshot have one moment
    given = tuple(n for n in given if n not in ("session", "underlying", "quote_ts"))
    if not given:
        raise ConfigError(f"{where} gives no column: map what the file is joined for in columns")
    dialect = replace(preset.dialect, where=(), values={}, missing={}, path={})
    plain = replace(
        preset, name=f"{preset.name}, join {name}", columns={}, constants={}, scale={}, joins=(),
        optional=frozenset(), reader=_reader(), dialect=dialect,
    )  # fmt: skip
    theirs = mapped(plain, {k: v for k, v in said.items() if k in _MAP_TABLES})
    take = said.get("take", "last" if "quote_ts" in columns else "only")
    if take not in ("only", "first", "last"):
        raise ConfigError(f"{where} take: expected only, first or last, found {take!r}")
    return Join(name, files, keys, given, theirs, dict(said.get("absent", {})), take)


_MAP_TABLES: Final = (
    "columns", "timing", "scale", "constants", "values", "missing", "where", "path", "aliases",
    "date_format", "encoding", "decimal", "thousands", "expiry_rule", "order",
)  # fmt: skip


def _reader() -> Any:
    from ..vendors.table_reader import read_tables

    return read_tables


def _present(folder: Path, name: str) -> list[Path]:
    try:
        return [folder / name] if (folder / name).exists() else list(folder.glob(name))
    except (ValueError, OSError, NotImplementedError):
        return []


def _keys(said: Any, stated: set[str], preset: Preset, where: str) -> tuple[tuple[str, str], ...]:
    mine = {*preset.columns, *preset.constants, *preset.dialect.path}
    if said is None:
        day = [n for n in ("session",) if stated & {"session", "quote_ts"}]
        names = [*day, *(n for n in _CONTRACT if n in stated and n in mine)]
        if not names:
            raise ConfigError(
                f"{where} keys is missing: name what rows have in common, e.g. keys = "
                '["session", "expiry", "strike", "right"]'
            )
        return tuple((name, name) for name in names)
    if isinstance(said, dict):
        return tuple((str(k), str(v)) for k, v in said.items())
    return tuple((str(k), str(k)) for k in (said if isinstance(said, list) else [said]))


def fingerprinted(preset: Preset) -> Preset:
    """Return a preset whose joins know the bytes of their files."""
    from ..base.fingerprints import file_fingerprint

    joins = []
    for join in preset.joins:
        found = [file_fingerprint(path) for path in find_files(join.files).files]
        digest = hashlib.sha256(repr(found).encode()).hexdigest()[:16]
        joins.append(replace(join, fingerprint=digest))
    return replace(preset, joins=tuple(joins))


def joined_files(
    connection: duckdb.DuckDBPyConnection, preset: Preset, work: Path, zone_of: Any
) -> tuple[JoinedFile, ...]:
    """Read the files of a preset's joins.

    Raises
    ------
    InputFileError
        If a file cannot be read, or two of its rows contradict each other.
    """
    return tuple(_read(connection, join, preset, work, zone_of) for join in preset.joins)


def _read(
    connection: duckdb.DuckDBPyConnection, join: Join, preset: Preset, work: Path, zone_of: Any
) -> JoinedFile:
    from .timing import dated_join

    theirs = [name for _, name in join.keys]
    raw = [name for name in theirs if name not in CHAIN_COLUMNS]
    files = [file for path in find_files(join.files).files for file in opened(path, work)]
    files = [
        replace(f, encoding=join.preset.dialect.encoding) for f in files if f.path.stat().st_size
    ]
    tables = join.preset.reader(connection, files)
    zone = zone_of(join.preset.timing)
    parts: list[Any] = []
    for table in tables:
        for careful in (False, True):
            try:
                rows = projected(connection, table, join.preset, zone, 0, careful=careful, keys=raw)
                parts.append(rows.to_arrow_table())
                break
            except (InputFileError, duckdb.Error) as error:
                if careful:
                    raise InputFileError(f"[join.{join.name}] {_reason(error, tables)}") from error
    table = pa.concat_tables(parts)
    if "taken" in table.column_names:
        table = table.filter(table.column("taken"))
    names = tuple(n if n in CHAIN_COLUMNS else raw_key(n) for n in theirs)
    dated = dated_join(table, join.preset, [*join.given], names)
    rows = _one_per_key(dated, join, names)
    mine = tuple(m if m in CHAIN_COLUMNS else raw_key(m) for m, _ in join.keys)
    rows = rows.rename_columns(
        [mine[names.index(n)] if n in names else n for n in rows.column_names]
    )
    days = frozenset(
        rows.column("session").cast(pa.int32()).to_pylist() if "session" in mine else ()
    )
    return JoinedFile(join, mine, rows, days)


def _reason(error: Exception, tables: Sequence[Any]) -> str:
    import re

    text = str(error).splitlines()[0]
    found = re.search(r"gexlab:(\d+):(\w+):(.*)", text)
    if found is None:
        return text
    return (
        f"{tables[0].files[0].label}: column for {found[2]} holds {found[3]!r}: correct the value, "
        "or map another column"
    )


def _one_per_key(rows: Any, join: Join, names: Sequence[str]) -> Any:
    """Return one row for each key: the only one, or the first or the last of several."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        numbered = rows.append_column("place", pa.array(range(len(rows)), pa.int64()))
        coded = numbered.append_column("key", _codes(connection, rows, names))
        connection.register("joined_rows", coded)
        if join.take == "only":
            given = [n for n in join.given if n != "quote_ts"]
            distinct = coded.select(["key", *given]).group_by(["key", *given]).aggregate([])
            counts = Counter(distinct.column("key").to_pylist())
            twice = next((k for k, n in counts.items() if n > 1), None)
            if twice is not None:
                place = coded.column("key").to_pylist().index(twice)
                said = {n: str(rows.column(n)[place].as_py()) for n in names}
                raise InputFileError(
                    f"[join.{join.name}] two rows of one key contradict each other ({said}): say "
                    'which counts, take = "last" or "first", or name further keys'
                )
        latest = "ingest/join_last" if join.take == "last" else "ingest/join_first"
        kept = connection.sql(load_sql(latest)).to_arrow_table()
    return kept.drop_columns(["place", "key"])


def _codes(connection: duckdb.DuckDBPyConnection, rows: Any, names: Sequence[str]) -> Any:
    """Return a number per row that is the same where all keys are."""
    import numpy as np

    code = np.zeros(len(rows), dtype=np.int64)
    for name in names:
        column = rows.column(name).combine_chunks()
        encoded = column.dictionary_encode() if not pa.types.is_dictionary(column.type) else column
        index = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)
        _, code = np.unique(code * (len(encoded.dictionary) + 1) + index, return_inverse=True)
    return pa.array(code.astype(np.int64))
