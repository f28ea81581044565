"""JSON as services return it: nested objects, tables deep inside, columns as lists."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from ..base.errors import InputFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .raw_table import InputFile

__all__ = ["flat_records", "json_table"]

_Record = dict[str, Any]
#: Column that holds the key of records kept in an object by their names.
_KEY: Final = "key"


def json_table(file: InputFile) -> Any:
    """Return the records of a JSON file as an Arrow table of text.

    Nested objects become columns with dots in their names (``greeks.mid_iv``); what stands beside
    or above a table (a stamp, the price of the underlying) is repeated in each of its rows.

    Raises
    ------
    InputFileError
        If the file is not JSON, or holds no table.
    """
    try:
        text = file.path.read_text(encoding="utf-8-sig")
        nodes = _parsed(text)
    except (ValueError, RecursionError) as error:
        raise InputFileError(
            f"{file.label} is not a JSON table ({str(error)[:120]}): expected an array of objects, "
            "one object per line, or a service's answer with a table in it"
        ) from error
    records = [record for node in nodes for record in flat_records(node)]
    names = list(dict.fromkeys(name for record in records for name in record))
    if not records or not names:
        raise InputFileError(f"{file.label} holds no table: no list of objects was found in it")
    return pa.table(
        {name: pa.array([_text(r.get(name)) for r in records], pa.string()) for name in names}
    )


def _parsed(text: str) -> list[Any]:
    try:
        return [json.loads(text)]
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        return [json.loads(line) for line in lines]


def flat_records(node: Any, above: _Record | None = None, path: str = "") -> Iterator[_Record]:
    """Yield the rows of whatever tables a parsed JSON value holds.

    Examples
    --------
    >>> list(flat_records({"spot": 5, "chain": {"option": [{"k": 1, "g": {"iv": 0.2}}]}}))
    [{'spot': 5, 'table': 'option', 'k': 1, 'g.iv': 0.2}]
    >>> list(flat_records({"s": "ok", "k": [1], "c": ["a"], "oi": [7]}))
    [{'s': 'ok', 'k': 1, 'c': 'a', 'oi': 7}]
    """
    above = above or {}
    if isinstance(node, list):
        for entry in node:
            if isinstance(entry, (dict, list)):
                yield from flat_records(entry, above, path)
    elif isinstance(node, dict):
        yield from _of_object(node, above, path)


def _of_object(node: _Record, above: _Record, path: str) -> Iterator[_Record]:
    columns = _columns(node)
    if columns:
        here = {**above, **_scalars(node)}
        for values in zip(*columns.values(), strict=True):
            yield {**here, **dict(zip(columns, values, strict=True))}
        return
    inside = {name: child for name, child in node.items() if _holds_table(child)}
    by_name = _named_records(node)
    if by_name:
        for name, record in by_name.items():
            yield from flat_records(record, {**above, _KEY: name}, path)
        return
    if not inside:
        yield {**above, **_flattened(node)}
        return
    here = {**above, **_flattened({k: v for k, v in node.items() if k not in inside})}
    for name, child in inside.items():
        yield from flat_records(child, {**here, "table": name}, f"{path}{name}.")


def _columns(node: _Record) -> dict[str, list[Any]]:
    """Return the lists of an object that holds a table as columns of one length."""
    lists = {
        name: value
        for name, value in node.items()
        if isinstance(value, list) and not any(isinstance(v, (dict, list)) for v in value)
    }
    lengths = {len(value) for value in lists.values()}
    return lists if len(lists) >= 3 and len(lengths) == 1 and lengths != {0} else {}


def _holds_table(node: Any) -> bool:
    if isinstance(node, list):
        return any(isinstance(entry, (dict, list)) and bool(entry) for entry in node)
    if isinstance(node, dict):
        return (
            bool(_columns(node))
            or bool(_named_records(node))
            or any(_holds_table(child) for child in node.values())
        )
    return False


def _named_records(node: _Record) -> dict[str, Any]:
    """Return the entries of an object that keeps alike records by their names."""
    if len(node) < 2 or not all(isinstance(v, dict) and v for v in node.values()):
        return {}
    keys = [frozenset(value) for value in node.values()]
    shared = frozenset.intersection(*keys)
    alike = all(2 * len(shared) >= len(k) for k in keys) and bool(shared)
    return node if alike else {}


def _scalars(node: _Record) -> _Record:
    return {k: v for k, v in node.items() if not isinstance(v, (dict, list))}


def _flattened(node: _Record, prefix: str = "") -> _Record:
    flat: _Record = {}
    for name, value in node.items():
        if isinstance(value, dict):
            flat.update(_flattened(value, f"{prefix}{name}."))
        elif not isinstance(value, list):
            flat[f"{prefix}{name}"] = value
    return flat


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)
