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
#: Column of the key one level up: of ``{"470": {"ce": {...}, "pe": {...}}}`` it holds the strike.
_OUTER: Final = "outer_key"


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


def flat_records(node: Any) -> Iterator[_Record]:
    """Yield the rows of whatever tables a parsed JSON value holds.

    What stands above a table is repeated in its rows. Where a row has a value of the same name,
    that from above has its way before it, or ``outer.`` where it stands at the top.

    Examples
    --------
    >>> list(flat_records({"spot": 5, "chain": {"option": [{"k": 1, "g": {"iv": 0.2}}]}}))
    [{'spot': 5, 'table': 'option', 'k': 1, 'g.iv': 0.2}]
    >>> list(flat_records({"s": "ok", "k": [1], "c": ["a"], "oi": [7]}))
    [{'s': 'ok', 'k': 1, 'c': 'a', 'oi': 7}]
    >>> list(flat_records({"data": {"price": 5, "chain": [{"price": 1}]}}))
    [{'table': 'chain', 'price': 1, 'data.price': 5}]
    """
    return _rows(node, {}, "")


#: Name to its value, and the way to it.
_Above = dict[str, tuple[Any, str]]


def _rows(node: Any, above: _Above, path: str) -> Iterator[_Record]:
    if isinstance(node, list):
        for entry in node:
            if isinstance(entry, (dict, list)):
                yield from _rows(entry, above, path)
    elif isinstance(node, dict):
        yield from _of_object(node, above, path)


def _of_object(node: _Record, above: _Above, path: str) -> Iterator[_Record]:
    columns = _columns(node)
    if columns:
        here = _laid_over(above, _scalars(node), path)
        for values in zip(*columns.values(), strict=True):
            yield _row(here, dict(zip(columns, values, strict=True)))
        return
    inside = {name: child for name, child in node.items() if _holds_table(child)}
    by_name = _named_records(node)
    if by_name:
        for name, record in by_name.items():
            key = _laid_over(above, {_KEY: name}, "")
            yield from _rows(record, key, path)
        return
    if not inside:
        yield _row(above, _flattened(node))
        return
    scalars = _flattened({k: v for k, v in node.items() if k not in inside})
    here = _laid_over(above, scalars, path)
    for name, child in inside.items():
        yield from _rows(child, {**here, "table": (name, "table")}, f"{path}{name}.")


def _laid_over(above: _Above, found: _Record, path: str) -> _Above:
    """Return what stands above together with what is found on the way down."""
    laid = dict(above)
    for name in found:
        if name in above:
            value, way = above[name]
            _moved_out(laid, way)
            laid[way] = (value, way)
    return {**laid, **{n: (v, _way(path, n)) for n, v in found.items()}}


def _moved_out(laid: _Above, way: str) -> None:
    """Give names of further levels a further ``outer_`` each, so that none is written over."""
    if way.endswith(_OUTER) and way in laid:
        further = f"outer_{way}"
        _moved_out(laid, further)
        laid[further] = (laid[way][0], further)


def _way(path: str, name: str) -> str:
    return _OUTER if name == _KEY else f"{path or 'outer.'}{name}"


def _row(above: _Above, inner: _Record) -> _Record:
    """Return a row with what stands above it; of two values of one name the inner keeps it."""
    row = {name: value for name, (value, _) in above.items() if name not in inner}
    hidden = {way: value for name, (value, way) in above.items() if name in inner}
    return {**row, **inner, **{k: v for k, v in hidden.items() if k not in inner}}


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
