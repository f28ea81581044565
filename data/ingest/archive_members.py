"""Members of an archive that hold another table than their neighbours."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import duckdb

from ..base.errors import GexlabError, MissingColumnError
from ..base.sql import load_sql
from ..lake.connection import connect
from ..vendors.projection import projected
from .calendar_tables import zone_of

if TYPE_CHECKING:
    from ..vendors.vendor_preset import InputFile, Preset

__all__ = ["fitting_members"]


def fitting_members(files: list[InputFile], preset: Preset) -> tuple[list[InputFile], list[str]]:
    """Put aside members of archives that hold another table than their neighbours.

    Vendors' archives hold statistics and manuals beside the chains.
    """
    archives = Counter(f.label.rpartition("!")[0] for f in files if "!" in f.label)
    crowded = {name for name, count in archives.items() if count > 1 and name}
    members = [f for f in files if f.label.rpartition("!")[0] in crowded]
    if not members:
        return files, []
    zone = zone_of(preset.timing)
    # members of one header are alike: a year of daily files is looked at once
    known: dict[tuple[str, bytes], bool] = {}
    for file in members:
        if _kind(file) not in known:
            known[_kind(file)] = _fits(file, preset, zone)
    misfits = {f.label for f in members if not known[_kind(f)]}
    fitting = {f.label.rpartition("!")[0] for f in members if f.label not in misfits}
    aside = {label for label in misfits if label.rpartition("!")[0] in fitting}
    return [f for f in files if f.label not in aside], sorted(aside)


def _kind(file: InputFile) -> tuple[str, bytes]:
    """Return what files of one kind have in common: suffix and first lines, of text the header."""
    with file.path.open("rb") as stream:
        start = stream.read(4096)
    suffix = file.path.suffix.lower()
    text = suffix in (".csv", ".txt", ".tsv")
    return suffix, (start.split(b"\n", 1)[0] if text and start[:1] not in b"\r\n" else start)


def _fits(file: InputFile, preset: Preset, zone: str) -> bool:
    with connect() as connection:
        connection.execute(load_sql("ingest/macros"))
        try:
            for table in preset.reader(connection, [file]):
                projected(connection, table, preset, zone, 0, careful=False)
        except MissingColumnError:
            return False
        except (GexlabError, duckdb.Error):  # reading it will say what is wrong
            return file.path.suffix.lower() != ".txt"
    return True
