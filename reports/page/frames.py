"""Tables of a result: every field that has rows as a pandas frame, the rest as one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from ...data import Explanation, SessionProfile

__all__ = ["frames"]

_SUMMARY = "summary"


def frames(result: Any) -> dict[str, pd.DataFrame]:
    """Return everything that a result holds as pandas frames.

    Parameters
    ----------
    result : object
        What a command's function returned: of a backtest, test, grid, tournament, ledger, lockbox,
        leak check, diff, explanation, profile, cross-section, calibration, check, ...

    Returns
    -------
    dict of str to DataFrame
        By field: a table as it is; a sequence as one row an item; values by name as one row a name;
        what each of these holds under ``FIELD.PART``, with the name in the column ``name`` (series
        by session: one column a name). What is left makes the one row of ``summary``. Of a
        tournament there is ``trials`` too: entries and controls with their parameters, as in its
        ``trials.parquet``. An explanation and a profile are what one draws of them: ``row``,
        ``strikes``, ``expiries``, ``profile``, ``roots``, ``lines``, ``definitions``, ``findings``.

    Raises
    ------
    ConfigError
        If it is no result.

    Examples
    --------
    >>> from gexlab.backtest import LeakResult
    >>> frames(LeakResult(checked=3, leaks=()))["summary"]["checked"].tolist()
    [3]
    """
    from ...backtest import TournamentResult, trials_frame
    from ...data import Explanation, SessionProfile

    if not is_dataclass(result) or isinstance(result, type):
        raise ConfigError(
            f"expected a result of gexlab, e.g. of backtest() or grid(), found "
            f"{type(result).__name__}"
        )
    if isinstance(result, Explanation | SessionProfile):
        from ..session.picture import picture_of

        return _frames_of(picture_of(_explained(result), sign=""))
    found = {"trials": trials_frame(result)} if isinstance(result, TournamentResult) else {}
    return found | _frames_of(result)


def _explained(result: Explanation | SessionProfile) -> Explanation:
    """Return a session with what its profile alone does not know left empty."""
    import pandas as pd

    from ...data import Explanation

    return result if isinstance(result, Explanation) else Explanation(result, pd.DataFrame(), ())


def _frames_of(result: Any) -> dict[str, pd.DataFrame]:
    import pandas as pd

    found: dict[str, pd.DataFrame] = {}
    single: dict[str, Any] = {}
    for field in fields(result):
        name, value = field.name, getattr(result, field.name)
        tables = _tables(value)
        if tables is None:
            single[name] = value
        else:
            found |= {f"{name}.{part}" if part else name: table for part, table in tables.items()}
    summary = pd.DataFrame([single]) if single else pd.DataFrame(index=[0])
    return {_SUMMARY: summary} | found


def _tables(value: Any) -> dict[str, pd.DataFrame] | None:
    """Return the tables of a field, its own under ""; None where it is a single value."""
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        return {"": value}
    if isinstance(value, pd.Series):
        return {"": value.to_frame()}
    if isinstance(value, np.ndarray):
        whole = np.atleast_1d(value)
        return {"": pd.DataFrame(whole if whole.ndim < 3 else whole.reshape(len(whole), -1))}
    if is_dataclass(value) and not isinstance(value, type):
        made = _frames_of(value)
        return {"": made.pop(_SUMMARY), **made}
    if isinstance(value, Mapping):
        return _by_name(value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return {"": pd.DataFrame([_row(item) for item in value])}
    return None


def _by_name(value: Mapping[Any, Any]) -> dict[str, pd.DataFrame]:
    """Return what is kept by name: one row each, and what each holds below."""
    import pandas as pd

    if any(isinstance(item, Sequence) and not isinstance(item, str) for item in value.values()):
        rows = [{"name": name, **_row(one)} for name, items in value.items() for one in items]
        return {"": pd.DataFrame(rows)}
    found = {"": pd.DataFrame([{"name": name, **_row(item)} for name, item in value.items()])}
    parts: dict[str, dict[str, Any]] = {}
    for name, item in value.items():
        if is_dataclass(item) and not isinstance(item, type):
            for field in fields(item):
                inner = getattr(item, field.name)
                if isinstance(inner, pd.DataFrame | pd.Series):
                    parts.setdefault(field.name, {})[str(name)] = inner
    for part, by_name in parts.items():
        if all(isinstance(one, pd.Series) for one in by_name.values()):
            found[part] = pd.DataFrame(by_name)
        else:
            tables = [one.assign(name=name) for name, one in by_name.items()]
            found[part] = pd.concat(tables, ignore_index=True)
    return found


def _row(item: Any) -> dict[str, Any]:
    """Return an item as one row; what it is made of under ``FIELD.PART``, tables left out."""
    import pandas as pd

    if isinstance(item, Mapping):
        pairs = [(str(name), value) for name, value in item.items()]
    elif is_dataclass(item) and not isinstance(item, type):
        pairs = [(field.name, getattr(item, field.name)) for field in fields(item)]
    else:
        return {"value": item}
    row: dict[str, Any] = {}
    for name, value in pairs:
        if isinstance(value, pd.DataFrame | pd.Series):
            continue  # a table of its own
        inner = is_dataclass(value) and not isinstance(value, type)
        if inner or (isinstance(value, Mapping) and value):
            row |= {f"{name}.{part}": cell for part, cell in _row(value).items()}
        else:
            row[name] = value
    return row
