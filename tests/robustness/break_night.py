"""Break a night in the middle, many times, and look at what the next night makes of it.

    python tests/robustness/break_night.py kill --points 300 --seed 1
    python tests/robustness/break_night.py term --points 100 --seed 1
    python tests/robustness/break_night.py disk --points 50 --seed 1
    python tests/robustness/break_night.py full --points 50 --seed 1
    python tests/robustness/break_night.py damage --points 50 --seed 1

A night ingests new sessions, rebuilds, backtests, reports, archives and publishes. ``kill`` sends
SIGKILL: to every other night after a random time, to the others at a random one of the file
operations that the interpreter reports. ``term`` sends SIGTERM likewise. ``disk`` lets no file grow
beyond a random size. ``full`` works on a disk on which so much is left that the night needs between
nothing and all of it (needs the right to mount). After each the folder of nights is looked at as a
reader would: what is called the latest is whole. Then the next night runs, and what stands must be,
byte for byte, what an undisturbed night leaves, but for times in ``run.json`` and in the ledger of
trials. ``damage`` deletes, cuts, changes or exchanges one file of those that stand: what belongs to
the latest night is made again, what belongs to an older one or to the record is told. Prints one
JSON document.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
from forked import fork, waited, watched

from gexlab.data.base.errors import GexlabError
from gexlab.data.simulate import simulate
from gexlab.reports.nightly.nightly import nightly
from gexlab.reports.nightly.nights import nights_of

#: What says when it was and how long it took, and the lock's own file.
_TIMES = ("run.json", ".night")

CONFIG = """
[data]
lake = "lake"
underlying = "SIM"
instrument = "etf"
bars = "source/bars.parquet"

[inference]
bootstrap = 100

[nightly]
paths = ["incoming/*.parquet"]
out = "nights"
"""


def _night(folder: Path) -> Callable[[], int]:
    return lambda: nightly(folder / "config.toml").exit_code


def made(folder: Path) -> Path:
    """Return a folder in which one night has run and new chains have come."""

    def make() -> int:
        simulate("S1", years=0.12, seed=5, lake=folder / "source", contracts=200, intraday=None)
        (folder / "incoming").mkdir()
        (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
        chains = pq.read_table(sorted((folder / "source" / "chains").rglob("*.parquet"))[0])
        days = chains["session"].to_pylist()
        cut = sorted(set(days))[-2]
        pq.write_table(chains.filter([d < cut for d in days]), folder / "incoming" / "old.parquet")
        assert nightly(folder / "config.toml").exit_code == 0
        pq.write_table(chains.filter([d >= cut for d in days]), folder / "incoming" / "new.parquet")
        return 0

    assert waited(fork(make)) == 0
    return folder


def outputs(folder: Path) -> dict[str, str]:
    """Return the digest of every file of the nights, links by where they lead."""
    out = folder / "nights"
    found = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        elif name.startswith("inputs/nights/"):
            note = json.loads(path.read_text(encoding="utf-8"))
            note = {k: v for k, v in note.items() if k not in ("created_at", "sha256")}
            found[name] = json.dumps(note, sort_keys=True)
        elif path.is_file() and path.name not in _TIMES:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def looked_at(folder: Path) -> str:
    """Return what a reader finds in between; what is called the latest must be whole."""
    out = folder / "nights"
    latest = out / "latest"
    nights = {night.name: night for night in nights_of(out)}
    assert latest.resolve().name in nights, "the latest is no night"
    assert not nights[latest.resolve().name].damaged, "the latest is not as it was written"
    said = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert said["status"] in ("fresh", "failed"), said["status"]
    return f"{len(nights)} nights, run.json {said['status']}"


@contextmanager
def world() -> Iterator[tuple[Path, dict[str, str], float, int]]:
    """Give a folder before the night, what an undisturbed night leaves, its time and operations."""
    with tempfile.TemporaryDirectory(prefix="gexlab-break-") as name:
        base = made(Path(name) / "base")
        copy = Path(name) / "undisturbed"
        shutil.copytree(base, copy, symlinks=True)
        count = Path(name) / "operations"

        def counted() -> int:
            code, operations = watched(0, signal.SIGKILL, _night(copy))
            count.write_text(str(operations))
            return code

        start = time.monotonic()
        assert waited(fork(counted)) == 0
        took = time.monotonic() - start
        yield base, outputs(copy), took, int(count.read_text())


def check(folder: Path, wanted: dict[str, str], signum_code: int) -> str:
    """Return what was left, having run the next night on top of it."""
    left = looked_at(folder)
    code = waited(fork(_night(folder)))
    assert code in (0, 3), f"the next night ended with {code} after {signum_code}"
    found = outputs(folder)
    moved = _moved(found, wanted)
    if moved:
        told = "; ".join(f"{k}: {found.get(k)} for {wanted.get(k)}" for k in moved)
        raise AssertionError(f"not what an undisturbed night leaves: {told}")
    return left


def signalled(signum: int, points: int, seed: int) -> Counter[str]:
    """Send a signal to nights at random points."""
    draw = random.Random(seed)
    found: Counter[str] = Counter()
    with world() as (base, wanted, took, operations):
        for i in range(points):
            folder = base.parent / f"n{i}"
            shutil.copytree(base, folder, symlinks=True)
            if i % 2:
                pid = fork(_night(folder))
                time.sleep(draw.uniform(0, took * 1.05))
                os.kill(pid, signum)
                code = waited(pid)
            else:
                at = draw.randint(1, operations)
                code = waited(fork(lambda: watched(at, signum, _night(folder))[0]))  # noqa: B023
            found["ended by it" if code == -signum else f"exit code {code}"] += 1
            found[check(folder, wanted, code)] += 1
            shutil.rmtree(folder)
    return found


def disk(points: int, seed: int) -> Counter[str]:
    """Let no file grow beyond a random size."""
    draw = random.Random(seed)
    found: Counter[str] = Counter()
    with world() as (base, wanted, _, _):
        sizes = [p.stat().st_size for p in base.rglob("*") if p.is_file()]
        for i in range(points):
            folder = base.parent / f"n{i}"
            shutil.copytree(base, folder, symlinks=True)
            # as often below as above every size that files have
            limit = round(draw.choice(sizes) * draw.choice((0.5, 0.9, 1.1, 2.0)))
            code = waited(fork(_limited(limit, _night(folder))))
            assert code in (0, 1), f"exit code {code} at {limit} bytes"
            found["failed" if code else "finished"] += 1
            found[check(folder, wanted, code)] += 1
            shutil.rmtree(folder)
    return found


def full(points: int, seed: int) -> Counter[str]:
    """Let a night run on a disk that becomes full, at every step sooner or later."""
    draw = random.Random(seed)
    found: Counter[str] = Counter()
    with world() as (base, wanted, _, _):
        have, need = _occupied(base), _occupied(base.parent / "undisturbed")
        place = base.parent / "disk"
        place.mkdir()
        for _ in range(points):
            # drafts take room beside what they become
            size = have + round(draw.uniform(0.0, 2.0) * (need - have))
            with _disk(place, size) as grow:
                folder = place / "n"
                shutil.copytree(base, folder, symlinks=True)
                code = waited(fork(_plainly(_night(folder))))
                assert code in (0, 1), f"exit code {code} with {size} bytes"
                grow()
                found["failed" if code else "finished"] += 1
                found[check(folder, wanted, code)] += 1
    return found


def _occupied(folder: Path) -> int:
    """Return the bytes that a folder takes on a disk of whole pages."""
    sizes = [p.lstat().st_size for p in folder.rglob("*") if not p.is_dir()]
    return sum(-(-size // _PAGE) * _PAGE for size in sizes)


@contextmanager
def _disk(place: Path, size: int) -> Iterator[Callable[[], None]]:
    """Mount a disk of a size; what is given makes it large."""
    options = f"size={size}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True)
    try:
        larger = ["mount", "-o", "remount,size=4g", str(place)]

        def enlarge() -> None:
            subprocess.run(larger, check=True)

        yield enlarge
    finally:
        subprocess.run(["umount", str(place)], check=True)


def damage(points: int, seed: int) -> Counter[str]:
    """Spoil one file of the nights that stand, and let the next night find it."""
    draw = random.Random(seed)
    found: Counter[str] = Counter()
    with world() as (base, wanted, _, _):
        whole = base.parent / "undisturbed"
        latest = (whole / "nights" / "latest").resolve().name
        names = [k for k, v in wanted.items() if not v.startswith("-> ")]
        for i in range(points):
            folder = base.parent / f"n{i}"
            shutil.copytree(whole, folder, symlinks=True)
            name, how = draw.choice(names), draw.choice(list(_SPOIL))
            target = folder / "nights" / name
            others = [n for n in names if n != name and Path(n).suffix == target.suffix]
            other = folder / "nights" / draw.choice(others or [name])
            before = target.read_bytes()
            _SPOIL[how](target, other)
            if target.is_file() and target.read_bytes() == before:
                shutil.rmtree(folder)
                continue
            code = waited(fork(_night(folder)))
            moved = _moved(outputs(folder), wanted)
            belongs = name.partition("/")[0] if "/" in name else "top"
            kind = "latest" if belongs in (latest, "top") else belongs
            kind = "older" if kind.startswith("20") else kind
            _settled(folder, kind, belongs, code, moved, f"{how} {name}")
            left = "told" if moved else "made again"
            found[f"{kind}: {how}, {left}, exit code {code}"] += 1
            shutil.rmtree(folder)
    return found


def _settled(folder: Path, kind: str, night: str, code: int, moved: list[str], what: str) -> None:
    """Require that what is not as it was is told, and that the latest night is whole."""
    if kind == "latest":
        assert not moved, f"{what}: not made again: {moved}"
        assert code in (0, 3), f"{what}: exit code {code}"
    elif kind == "record" and moved:
        assert code == 4, f"{what}: the record was changed and nobody says so: {code}"
    elif kind == "older" and moved:
        held = {n.name: n for n in nights_of(folder / "nights")}
        assert held[night].damaged, f"{what}: nobody says so"
        listed = Path(what).name in ("nightly.json", "results.json")
        assert code == (4 if listed else 3), f"{what}: exit code {code}"
    elif kind == "inputs" and moved:
        assert any(n.damaged for n in nights_of(folder / "nights")), f"{what}: nobody says so"


def _moved(found: dict[str, str], wanted: dict[str, str]) -> list[str]:
    return sorted(k for k in {*found, *wanted} if found.get(k) != wanted.get(k))


def _delete(target: Path, _: Path) -> None:
    target.unlink()


def _cut(target: Path, _: Path) -> None:
    target.write_bytes(target.read_bytes()[: target.stat().st_size // 2])


def _change(target: Path, _: Path) -> None:
    held = bytearray(target.read_bytes())
    held[len(held) // 2] ^= 1
    target.write_bytes(bytes(held))


def _exchange(target: Path, other: Path) -> None:
    target.write_bytes(other.read_bytes())


_SPOIL = {"deleted": _delete, "cut": _cut, "changed": _change, "exchanged": _exchange}
_PAGE = 4096


def _plainly(work: Callable[[], int]) -> Callable[[], int]:
    """Return work whose failure in one line is exit code 1."""

    def plain() -> int:
        try:
            return work()
        except GexlabError as error:
            return 1 if "\n" not in str(error) else 71

    return plain


def _limited(limit: int, work: Callable[[], int]) -> Callable[[], int]:
    def limited() -> int:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        return _plainly(work)()

    return limited


def main() -> None:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", choices=("kill", "term", "disk", "full", "damage"))
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    how = {"kill": signal.SIGKILL, "term": signal.SIGTERM}
    others = {"disk": disk, "full": full, "damage": damage}
    if given.what in others:
        found = others[given.what](given.points, given.seed)
    else:
        found = signalled(how[given.what], given.points, given.seed)
    sys.stdout.write(json.dumps({"what": given.what, "points": given.points, **found}) + "\n")


if __name__ == "__main__":
    main()
