"""How results print: in a few lines, whatever they hold."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

__all__ = ["short_repr"]

_LONGEST: Final = 60


def short_repr(result: Any) -> str:
    """Return a dataclass as its name and fields; tables and collections by their size.

    A class takes it as its ``__repr__``.

    Parameters
    ----------
    result : object
        Instance of a dataclass.

    Returns
    -------
    str

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Result:
    ...     name: str
    ...     rows: tuple
    ...     __repr__ = short_repr
    >>> Result("a", (1, 2, 3))
    Result(name='a', rows=<3 in tuple>)
    """
    shown = (f"{f.name}={_short(getattr(result, f.name))}" for f in fields(result))
    return f"{type(result).__name__}({', '.join(shown)})"


def _short(value: Any) -> str:
    kind = type(value).__name__
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"<{kind} of {' x '.join(str(n) for n in shape)}>"
    if isinstance(value, (tuple, list, dict, set, frozenset)) and value:
        return f"<{len(value)} in {kind}>"
    text = " ".join(repr(value).split())
    return (
        text if len(text) <= _LONGEST else f"<{kind}>" if "(" in text else f"{text[:_LONGEST]}..."
    )
