"""Column maps that come with gexlab, by name: ``--map polygon_snapshot``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .column_map import mapped, read_mapping
from .column_names import names_in, respelled
from .columns import PRESET
from .paths import FILENAME, FOLDER

if TYPE_CHECKING:
    from collections.abc import Collection

    from .vendor_preset import Preset

__all__ = ["map_file", "recognised_map", "shipped_maps"]

_FOLDER: Final = Path(__file__).resolve().parent / "maps"


def shipped_maps() -> tuple[str, ...]:
    """Return the names of the maps that come with gexlab."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def map_file(said: str | Path) -> Path:
    """Return the file of a map that is named by its path, or by the name of a shipped one.

    A file of the user's own goes before a shipped map of the same name.
    """
    path = Path(said)
    if not path.exists() and path.name == str(said):
        shipped = _FOLDER / f"{path.name.removesuffix('.toml')}.toml"
        if shipped.is_file():
            return shipped
    return path


def recognised_map(columns: Collection[str]) -> str | None:
    """Return the shipped map whose columns a file has, the one that names most of them.

    Parameters
    ----------
    columns : collection of str
        Of the file.

    Returns
    -------
    str or None
        None where the file lacks a column of every map, or has nothing but everyday names.
    """
    available = dict.fromkeys(columns, "VARCHAR")
    best: tuple[int, str] | None = None
    for name, wanted in _columns_of_maps():
        if all(any(_there(n, available) for n in choice) for choice in wanted):
            count = len({n for choice in wanted for n in choice})
            best = max(best or (0, ""), (count, name))
    return best[1] if best is not None else None


@cache
def _columns_of_maps() -> tuple[tuple[str, list[tuple[str, ...]]], ...]:
    """Return the maps with the columns that they name: read once, asked for each encoding."""
    found = []
    for name in shipped_maps():
        said = read_mapping(_FOLDER / f"{name}.toml")
        preset = mapped(PRESET, {k: v for k, v in said.items() if k != "join"})
        found.append((name, _source_columns(preset)))
    return tuple(found)


def _source_columns(preset: Preset) -> list[tuple[str, ...]]:
    """Return the source columns of a map; of alternatives one is enough."""
    names = [names_in(column) for column in preset.columns.values()]
    names += [(where.column,) for where in preset.dialect.where]
    return [choice for choice in names if choice and choice[0] not in (FILENAME, FOLDER)]


def _there(name: str, available: dict[str, str]) -> bool:
    return name in available or respelled(name, available) is not None
