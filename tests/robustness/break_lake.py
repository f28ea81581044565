"""Writers that meet, and bytes that change: what a lake promises, tried at random.

``writers``: processes add and replace the same sessions at once, rebuild them by two dealer models,
vacuum and compact. No session stands twice, none is lost, every version is consistent over its
tables, and what was rebuilt is what a lake of the same chains gives that nobody else wrote to.
``--store`` tries it in an object store (moto's, in another process); with ``--retention 0.0001``
versions go meanwhile.
``bytes``: see `broken_bytes`: `verify` finds each change, and none changes a number that a command
gives.
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
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from broken_bytes import chain_of, flips
from s3_store import BUCKET, store, surroundings

from gexlab.data import rebuild, verify
from gexlab.data.base.schema import BOOKS
from gexlab.data.lake.derived_records import read_store
from gexlab.data.lake.derived_tables import REBUILDS, TABLES
from gexlab.data.lake.housekeeping import compact, vacuum, versions
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.lake.mirror import folder_of_lake
from gexlab.data.lake.parts import part_rows, split_sessions
from gexlab.data.lake.records import CHAINS, manifest_at
from gexlab.data.lake.storage import fetched
from gexlab.data.lake.versions import Version, table_files, version_at
from gexlab.data.lake.writer import write_sessions
from gexlab.data.regimes.table import read_rebuilt

DAYS: Final = tuple(date(2023, 1, day) for day in (3, 4, 5, 6, 9, 10, 11, 12))
DEALERS: Final = ("naive", "inverted")


def writer(place: str, number: int, rounds: int, retention: float) -> None:
    """Add or replace sessions, some of them those of others, of one underlying or of two."""
    draw = random.Random(number)
    for turn in range(rounds):
        lake = open_lake(place, create=True)
        name = "SPX" if turn % 3 else f"U{number % 2}"
        first = draw.randrange(len(DAYS) - 1)
        days = DAYS[first : first + draw.randint(1, 2)]
        write_sessions(lake, name, chain_of(name, days, float(100 * number + turn % 50 + 1)))
        sys.stdout.write(json.dumps([name, [str(day) for day in days]]) + "\n")
        if turn % 4 == 3:
            books = BOOKS if draw.random() < 0.5 else (draw.choice(BOOKS),)
            rebuild(lake, name, dealer=draw.choice(DEALERS), books=books)
        if turn % 10 == 9:
            vacuum(lake, retention=retention)
        if turn % 7 == 6:
            compact(lake, underlying=name)


@cache
def fingerprint(path: Path, session: date) -> str:
    """Return the fingerprint of a session's rows in a file, which never changes."""
    assert fetched(path), "a file of a version is gone"
    (rows,) = split_sessions(part_rows(path, [session]))
    return rows.fingerprint


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
                same = fingerprint(entry.file, entry.session) == entry.fingerprint
                assert same, "rows of another writer"
                named.add(path)
            assert sum(e.rows for e in held.sessions) == sum(
                f.rows for p, f in files.items() if f.partition["underlying"] == name and p in named
            ), "a file holds more than its sessions"
        assert named == set(files), "the table and the record differ"
        check_rebuilt(Lake(root, listed.version), version)
        lost = [name for name, days in earlier.items() if not days <= there.get(name, set())]
        assert not lost, f"version {listed.version} has lost sessions of {lost}"
        earlier = there
    assert [v.version for v in found] == list(range(found[0].version, found[-1].version + 1))
    return earlier


def check_rebuilt(lake: Lake, version: Version) -> None:
    """Hold the rebuilt tables of a version against the records that say which rows count."""
    needed: set[tuple[str, str]] = set()
    for record in table_files(lake.root, version, REBUILDS).values():
        held = read_store(lake, record)
        rows = [(p.book, day, mark) for p in held.parts for day, mark in p.sessions.items()]
        assert len(rows) == len(set(rows)), "a row counts twice"
        for part in held.parts:
            for table in part.tables:
                needed.add((table, held.path(table, part)))
                assert fetched(held.file(table, part)), "a file of a rebuild is gone"
                assert held.damage(table, part) is None, "rows of another rebuild"
    named = {(table, path) for table in TABLES for path in table_files(lake.root, version, table)}
    assert named == needed, "rebuilt tables and their records differ"


def check_rows(place: str | Path) -> int:
    """Hold what is rebuilt in a lake against a lake that has its chains alone; return the rows."""
    lake, count = open_lake(place), 0
    with tempfile.TemporaryDirectory() as folder:
        fresh = open_lake(Path(folder) / "lake", create=True)
        for name in lake.underlyings():
            rows = [part_rows(e.file, [e.session]) for e in lake.sessions(name)]
            write_sessions(fresh, name, pa.concat_tables(rows))
            for dealer in DEALERS:
                for each in (lake, fresh):
                    rebuild(each, name, dealer=dealer)
                for table in TABLES:
                    here, there = (
                        read_rebuilt(each, table, name, None, dealer, None)
                        for each in (lake, fresh)
                    )
                    assert here.equals(there), f"{table} of {name} by {dealer} differs"
                    count += here.num_rows
    return count


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
    rebuilt = check_rows(place)
    held = check_versions(place)
    lost = [day for name, days in told for day in days if day not in held[name]]
    readable = versions(place)
    return {
        "failed": [error.strip().splitlines()[-1] for _, error, code in ended if code],
        "writes": len(told),
        "sessions": sum(len(days) for _, days in told),
        "held": sum(len(days) for days in held.values()),
        "rebuilt_rows": rebuilt,
        "lost": lost,
        "versions": readable[-1].version + 1,
        "checked": len(readable),
        "damaged": len(verify(place).damaged),
        "seconds": round(taken, 1),
        "checking_seconds": round(time.monotonic() - began - taken, 1),
    }


def writers_there(processes: int, rounds: int, retention: float, *, far: bool) -> dict[str, Any]:
    """Let writers meet on a disk, or in a store."""
    with tempfile.TemporaryDirectory() as folder:
        if not far:
            return writers(processes, rounds, retention, str(Path(folder) / "lake"))
        with store() as address:
            os.environ.update(surroundings(address, Path(folder)))
            return writers(processes, rounds, retention, f"s3://{BUCKET}/some/lake")


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", choices=("writers", "bytes", "writer"))
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--count", type=int, default=500)
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
