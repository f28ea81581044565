"""Writers that meet, and bytes that change: what a lake promises, tried at random.

``writers``: processes add and replace the same sessions at once, and vacuum and compact. No session
stands twice, none is lost, and every version is consistent over its tables. ``--store`` tries it in
an object store (moto's, in another process); with ``--retention 0.0001`` versions go meanwhile.
``bytes``: single bytes flipped, files cut, zeroed, deleted or exchanged, over all kinds of files.
`verify` finds each, and none changes a number that a command gives.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from race_lake import chain
from s3_store import BUCKET, store, surroundings

from gexlab.data import rebuild, verify
from gexlab.data.base.errors import GexlabError
from gexlab.data.lake.delta_log import files_at
from gexlab.data.lake.derived_records import read_store
from gexlab.data.lake.derived_tables import REBUILDS, TABLES
from gexlab.data.lake.housekeeping import compact, vacuum, versions
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.lake.mirror import folder_of_lake
from gexlab.data.lake.parts import part_rows, split_sessions
from gexlab.data.lake.records import CHAINS, manifest_at
from gexlab.data.lake.storage import fetched
from gexlab.data.lake.versions import table_files, version_at
from gexlab.data.lake.writer import write_sessions
from gexlab.data.regimes.table import read_rebuilt

DAYS = tuple(date(2023, 1, day) for day in (3, 4, 5, 6, 9, 10, 11, 12))


def writer(place: str, number: int, rounds: int, retention: float) -> None:
    """Add or replace sessions, some of them those of others, of one underlying or of two."""
    draw = random.Random(number)
    for turn in range(rounds):
        lake = open_lake(place, create=True)
        name = "SPX" if turn % 3 else f"U{number % 2}"
        first = draw.randrange(len(DAYS) - 1)
        days = DAYS[first : first + draw.randint(1, 2)]
        rows = chain(days, float(100 * number + turn % 50 + 1))
        rows = rows.set_column(0, "underlying", pa.array([name] * len(rows)))
        write_sessions(lake, name, rows)
        sys.stdout.write(json.dumps([name, [str(day) for day in days]]) + "\n")
        if turn % 10 == 9:
            vacuum(lake, retention=retention)
        if turn % 14 == 13:
            compact(lake, underlying=name)


def check_versions(place: str | Path) -> dict[str, set[str]]:
    """Hold every version that can be read against its own records and against the one before.

    Returns
    -------
    dict of str to set of str
        What the last one holds.
    """
    found = versions(place)
    root, earlier = folder_of_lake(place), dict[str, set[str]]()
    for listed in found:
        version = version_at(root, listed.version)
        files = table_files(root, version, CHAINS)
        named: set[str] = set()
        there: dict[str, set[str]] = {}
        for name in Lake(root, listed.version).underlyings():
            held = manifest_at(root, name, version)
            days = [entry.session for entry in held.sessions]
            assert days == sorted(set(days)), "a session stands twice"
            there[name] = {str(day) for day in days}
            for entry in held.sessions:
                path = entry.file.relative_to(root / CHAINS).as_posix()
                assert fetched(entry.file), "a file of a version is gone"
                (rows,) = split_sessions(part_rows(entry.file, [entry.session]))
                assert rows.fingerprint == entry.fingerprint, "rows of another writer"
                named.add(path)
            assert sum(e.rows for e in held.sessions) == sum(
                f.rows for p, f in files.items() if f.partition["underlying"] == name and p in named
            ), "a file holds more than its sessions"
        assert named == set(files), "the table and the record differ"
        lost = [name for name, days in earlier.items() if not days <= there.get(name, set())]
        assert not lost, f"version {listed.version} has lost sessions of {lost}"
        earlier = there
    assert [v.version for v in found] == list(range(found[0].version, found[-1].version + 1))
    return earlier


def writers(processes: int, rounds: int, retention: float, place: str) -> dict[str, Any]:
    """Let writers meet; return what was found."""
    command = [sys.executable, __file__, "writer", "--root", place, "--rounds", str(rounds)]
    command += ["--retention", str(retention)]
    began = time.monotonic()
    running = [
        subprocess.Popen([*command, "--number", str(i)], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
        for i in range(processes)
    ]  # fmt: skip
    ended = [(*p.communicate(), p.returncode) for p in running]
    taken = time.monotonic() - began
    told = [json.loads(line) for out, _, _ in ended for line in out.splitlines()]
    held = check_versions(place)
    lost = [day for name, days in told for day in days if day not in held[name]]
    readable = versions(place)
    return {
        "failed": [error.strip().splitlines()[-1] for _, error, code in ended if code],
        "writes": len(told),
        "sessions": sum(len(days) for _, days in told),
        "held": sum(len(days) for days in held.values()),
        "lost": lost,
        "versions": readable[-1].version + 1,
        "checked": len(readable),
        "damaged": len(verify(place).damaged),
        "seconds": round(taken, 1),
    }


def writers_there(processes: int, rounds: int, retention: float, *, far: bool) -> dict[str, Any]:
    """Let writers meet on a disk, or in a store."""
    with tempfile.TemporaryDirectory() as folder:
        if not far:
            return writers(processes, rounds, retention, str(Path(folder) / "lake"))
        with store() as address:
            os.environ.update(surroundings(address, Path(folder)))
            return writers(processes, rounds, retention, f"s3://{BUCKET}/some/lake")


def numbers(root: Path) -> list[Any]:
    """Return what commands say of a lake: every session's rows, and every regime."""
    files_at.cache_clear()
    lake = open_lake(root)
    said: list[Any] = []
    for name in lake.underlyings():
        lake.chain_files(name)
        said.append([(e.session, e.fingerprint) for e in lake.sessions(name)])
        for record in table_files(root, lake.at(), REBUILDS).values():
            read_store(lake, record)
        said += [read_rebuilt(lake, table, name, None, None, None) for table in TABLES]
    return said


def harmed(draw: random.Random, whole: bytes, other: bytes) -> tuple[str, bytes | None]:
    """Return a kind of harm, and what a file then holds; None where it is gone."""
    what = draw.choices(("flip", "cut", "zeros", "deleted", "exchanged"), (10, 1, 1, 1, 1))[0]
    if what == "flip":
        at = draw.randrange(len(whole))
        return what, whole[:at] + bytes([whole[at] ^ (1 << draw.randrange(8))]) + whole[at + 1 :]
    changed = {"cut": whole[: draw.randrange(len(whole))], "zeros": bytes(len(whole)),
               "exchanged": other}  # fmt: skip
    return what, changed.get(what)


def flips(count: int, seed: int) -> dict[str, Any]:
    """Harm a lake's files one after the other; return how often what was noticed."""
    draw, found = random.Random(seed), Counter[str]()
    unseen: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "lake"
        lake = open_lake(root, create=True)
        for i in range(3):
            write_sessions(lake, "SPX", chain(DAYS[i : i + 2], 10.0 + i))
            rebuild(lake, "SPX")
        said = numbers(root)
        files = sorted(p for p in root.rglob("*") if p.is_file())
        # one of each kind as often as another, however many files there are of it
        kinds: dict[str, list[Path]] = {}
        for path in files:
            log = "log of " if "_delta_log" in path.parts else ""
            kinds.setdefault(f"{log}{path.relative_to(root).parts[0]}", []).append(path)
        for _ in range(count):
            kind = draw.choice(sorted(kinds))
            path = draw.choice(kinds[kind])
            whole = path.read_bytes()
            other = draw.choice([p for p in files if p != path]).read_bytes()
            what, changed = harmed(draw, whole, other)
            path.unlink()
            if changed is not None:
                path.write_bytes(changed)
            found[what] += 1
            found["verified"] += bool(verify(root).damaged)
            try:
                right = numbers(root) == said
                found["refused" if not right else "right all the same"] += 1
                if not right:
                    unseen.append(f"{what} {path.relative_to(root)}: another number")
            except GexlabError:
                found["refused"] += 1
            if not verify(root).damaged:
                unseen.append(f"{what} {path.relative_to(root)}: not found")
            path.unlink(missing_ok=True)
            path.write_bytes(whole)
        assert not verify(root).damaged
    return {"harmed": count, **dict(sorted(found.items())), "unseen": unseen}


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", choices=("writers", "bytes", "writer"))
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--retention", type=float, default=30.0)
    parser.add_argument("--store", action="store_true")
    parser.add_argument("--root", help=argparse.SUPPRESS)
    parser.add_argument("--number", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.what == "writer":
        writer(given.root, given.number, given.rounds, given.retention)
        return 0
    if given.what == "writers":
        found = writers_there(given.processes, given.rounds, given.retention, far=given.store)
        wrong = bool(found["failed"] or found["damaged"] or found["lost"])
    else:
        found = flips(given.count, given.seed)
        wrong = bool(found["unseen"])
    sys.stdout.write(json.dumps(found) + "\n")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
