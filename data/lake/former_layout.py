"""Lakes of the layout before Delta tables: manifests and folders of rebuilt files, read once."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import LakeError
from ..base.fingerprints import file_fingerprint
from ..base.progress import silent
from .delta_log import DataFile
from .derived_parts import Variant
from .derived_records import store_record
from .derived_tables import TABLES, DerivedStore
from .derived_writer import Contents, WrittenPart, store_changes, write_parts
from .integrity import part_damage
from .lake import Lake, former_manifests
from .manifest import Manifest, SessionEntry, SourceEntry
from .mirror import folder_of_lake
from .naming import name_in
from .records import CHAINS, manifest_at, record_changes, record_of
from .session_facts import SessionFacts
from .storage import TakenError
from .verify import verify
from .versions import ATTEMPTS, Change, commit, newest
from .writer import CHAIN_TABLE

if TYPE_CHECKING:
    import os

    from ..base.progress import Progress

__all__ = ["MigrateResult", "migrate"]

#: From this format on a file without a seal is a damaged one.
_SEALED_SINCE: Final = 2
_KEY: Final = ',\n"digest": "'
_PART: Final = re.compile(r"year=\d{4}/\d{8}-\d{8}-[0-9a-f]{12}\.parquet")
_DERIVED_PART: Final = re.compile(r"[\w.=-]+")


@dataclass(frozen=True, slots=True)
class MigrateResult:
    """What a migration took over.

    Attributes
    ----------
    underlyings, sessions : int
        Of chains.
    stores : int
        Rebuilt tables, counted by underlying, definition and dealer model.
    left_out : int
        Such of which nothing says what they were computed from: rebuild them.
    """

    underlyings: int
    sessions: int
    stores: int
    left_out: int


def migrate(lake: Lake | str | os.PathLike[str], *, progress: Progress = silent) -> MigrateResult:
    """Turn a lake of the former layout into Delta tables, where its chains lie.

    Chains are taken over as they are; rebuilt tables are copied. What was taken over before is
    not done again. The former records stay until every byte has been verified.

    Parameters
    ----------
    lake : Lake, str or Path
    progress : Progress
        Told how many underlyings are done.

    Returns
    -------
    MigrateResult
        Zeros where the lake is of the new layout already.

    Raises
    ------
    LakeError
        If the folder is no lake, or one of its files is not what was written.
    """
    root = lake.root if isinstance(lake, Lake) else folder_of_lake(lake)
    records = former_manifests(root)
    if not records and not newest(root).tables:
        raise LakeError(f"the lake {root} does not exist, or holds no chains: correct the path")
    sessions, stores, left_out = 0, 0, 0
    for i, record in enumerate(records):
        name = name_in(record.parent.name)
        progress(i, len(records), name)
        held = _manifest(record, name)
        _take_chains(root, held)
        sessions += len(held.sessions)
        for store in sorted((root / "derived" / record.parent.name).glob("*/*/manifest.json")):
            taken = _take_store(root, name, store)
            stores, left_out = stores + taken, left_out + (not taken)
    if records:
        progress(len(records), len(records))
    damaged = verify(Lake(root)).damaged if records else ()
    if damaged:
        raise LakeError(
            f"{damaged[0].file}: {damaged[0].what}; the former records stay until that is mended "
            "and gexlab migrate --lake has run again"
        )
    for record in records:
        record.unlink()
    shutil.rmtree(root / "derived", ignore_errors=True)
    for name in (".lock", ".superseded"):
        (root / name).unlink(missing_ok=True)
    return MigrateResult(len(records), sessions, stores, left_out)


def _take_chains(root: Path, held: Manifest) -> None:
    """Commit the chains of an underlying, unless that is done."""
    for attempt in range(ATTEMPTS):
        version = newest(root)
        if manifest_at(root, held.underlying, version) == held or not held.sessions:
            return
        files = [_data_file(root, held, path) for path in sorted({e.file for e in held.sessions})]
        record = record_of(root, held.underlying, version)
        changes = record_changes(root, version, record, held)
        chains = Change(CHAINS, CHAIN_TABLE, tuple(files))
        with suppress(TakenError):
            commit(
                root, version, [chains, *changes], operation="migrate",
                underlying=held.underlying, sessions=len(held.sessions),
            )  # fmt: skip
            return
        time.sleep(min(0.002 * attempt, 0.05))
    raise LakeError(f"the lake {root} is written to without a pause: try again")


def _data_file(root: Path, held: Manifest, path: Path) -> DataFile:
    import pyarrow.parquet as pq

    what = part_damage(path, root)
    if what is not None:
        raise LakeError(
            f"{path}: {what}: restore it, or delete the lake and ingest again; nothing was changed"
        )
    days = sorted(e.session for e in held.sessions if e.file == path)
    return DataFile(
        path.relative_to(root / CHAINS).as_posix(),
        path.stat().st_size,
        pq.read_metadata(path).num_rows,
        file_fingerprint(path),
        {"underlying": held.underlying, "year": str(days[0].year)},
        days[0].isoformat(),
        days[-1].isoformat(),
    )


def _take_store(root: Path, underlying: str, record: Path) -> bool:
    """Copy the rebuilt tables of a store, unless that is done; say whether there are any."""
    try:
        found = _unsealed(record.read_text(encoding="utf-8"))
        if "variants" not in found:  # nobody knows what its rows rest on
            return False
        ident = record.parent.parent.name.removeprefix("definition=")
        store = DerivedStore(
            Lake(root), underlying, ident, found["definition"], found["dealer_model"]
        )
        if store_record(store, newest(root)) is not None:
            return True
        written = [w for part in found["parts"] for w in _copied(store, record.parent, part)]
        variants = tuple(Variant(**v) for v in found["variants"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LakeError(
            f"{record}: not a readable manifest ({error}): delete its folder and migrate again; "
            "its tables are then rebuilt"
        ) from error
    whole = replace(store, parts=tuple(w.part for w in written), variants=variants)
    for attempt in range(ATTEMPTS):
        with suppress(TakenError):
            version = newest(root)
            commit(
                root, version, store_changes(store, version, whole, written), operation="migrate",
                underlying=underlying, sessions=len({d for p in whole.parts for d in p.sessions}),
            )  # fmt: skip
            return True
        time.sleep(min(0.002 * attempt, 0.05))
    raise LakeError(f"the lake {root} is written to without a pause: try again")


def _copied(store: DerivedStore, folder: Path, part: dict[str, Any]) -> tuple[WrittenPart, ...]:
    """Copy a part's files: the rows that count, by year."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if not _DERIVED_PART.fullmatch(part["name"]) or not set(part["tables"]) <= set(TABLES):
        raise ValueError(f"{part['name']!r} is no name of a part")
    days = pa.array([date.fromisoformat(day) for day in part["sessions"]], pa.date32())
    tables = {}
    for table in part["tables"]:
        path = folder / table / f"{part['name']}.parquet"
        said = part.get("digests", {}).get(table)
        if said is not None and file_fingerprint(path) != said:
            raise ValueError(f"{path}: its bytes are not those that were written")
        with pq.ParquetFile(path) as file:
            rows = file.read()
        tables[table] = rows.filter(pc.is_in(rows.column("session"), value_set=days))
    return write_parts(store, [Contents((part["book"],), part["sessions"], tables)])


def _manifest(record: Path, underlying: str) -> Manifest:
    try:
        found = _unsealed(record.read_text(encoding="utf-8"))
        if found["format"] not in (1, 2) or found["underlying"] != underlying:
            raise ValueError(f"format {found['format']}, underlying {found['underlying']}")
        sessions = tuple(_session(entry, record.parent) for entry in found["sessions"])
        sources = (SourceEntry(**(e | {"paths": tuple(e["paths"])})) for e in found["sources"])
        return Manifest(underlying, sessions, tuple(sorted(sources, key=lambda s: s.source)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LakeError(
            f"{record} is not a manifest of the former layout ({type(error).__name__}: {error}): "
            f"restore it, or delete {record.parent} and ingest again"
        ) from error


def _session(entry: dict[str, Any], folder: Path) -> SessionEntry:
    if not _PART.fullmatch(entry["file"]):
        raise ValueError(f"{entry['file']!r} is no name of a part")
    asof = entry.get("oi_asof")
    facts = SessionFacts(
        entry.get("multiplier"),
        entry.get("settlement"),
        None if asof is None else date.fromisoformat(asof),
    )
    return SessionEntry(
        date.fromisoformat(entry["session"]),
        int(entry["rows"]),
        str(entry["fingerprint"]),
        folder / entry["file"],
        tuple(entry["sources"]),
        facts,
    )


def _unsealed(text: str) -> dict[str, Any]:
    """Return the object of a text whose last key is the digest of all that stands before."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    said = found.pop("digest", None)
    if said is None and found.get("format", 1) < _SEALED_SINCE:
        return found
    body, key, _ = text.rpartition(_KEY)
    whole = f'{body}{_KEY}{hashlib.sha256(body.encode()).hexdigest()}"}}\n'
    if not key or whole != text:
        raise ValueError("its bytes are not those that were written")
    return found
