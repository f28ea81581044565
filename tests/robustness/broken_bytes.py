"""Bytes of a lake changed at random, over all kinds of files: each change is found, or harmless.

The lake holds two underlyings, rebuilt by two definitions for both books and compacted, so that
chains and rebuilt tables lie in files that many sessions and parts share; later sessions and a
replaced one, rebuilt since, lie in files of their own beside them.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import pyarrow as pa
from race_lake import chain

from gexlab.data import rebuild, verify
from gexlab.data.base.errors import GexlabError
from gexlab.data.exposure.definition import DEFAULT
from gexlab.data.lake import checkpointing, delta_log
from gexlab.data.lake.archives import archive_version
from gexlab.data.lake.derived_records import stores_of
from gexlab.data.lake.derived_tables import TABLES
from gexlab.data.lake.housekeeping import compact
from gexlab.data.lake.lake import Lake, open_lake
from gexlab.data.lake.records import CHAINS
from gexlab.data.lake.versions import MARK, newest, table_files
from gexlab.data.lake.writer import write_sessions
from gexlab.data.regimes.query import query
from gexlab.data.regimes.table import rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["chain_of", "flips", "made_lake"]

DAYS: Final = tuple(date(2023, 1, day) for day in (3, 4, 5, 6))
NAMES: Final = ("SPX", "NDX")
DEFINITIONS: Final = (DEFAULT, replace(DEFAULT, rate=0.03))
#: Commits after which this lake's logs get a checkpoint.
_LONG: Final = 4
#: Flips for each file that is cut, and for each that is zeroed, deleted or exchanged.
_SHARE: Final = 5
#: Tables of which SQL is asked.
_ASKED: Final = (CHAINS, *TABLES)


def chain_of(name: str, days: tuple[date, ...], open_interest: float) -> pa.Table:
    """Return six contracts a session of an underlying."""
    rows = chain(days, open_interest)
    return rows.set_column(0, "underlying", pa.array([name] * len(rows)))


def made_lake(root: Path) -> tuple[int, frozenset[str]]:
    """Make the lake.

    Returns
    -------
    int
        Its last version before the compaction.
    frozenset of str
        Files that the compaction made and that the newest version names.
    """
    lake = open_lake(root, create=True)
    for level, name in enumerate(NAMES, 1):
        for i in (0, 2):
            days = DAYS[i : 3 if i else 2]
            write_sessions(lake, name, chain_of(name, days, 10.0 * level + i))
            _rebuilt(lake, name)
    before = newest(root).number
    archive_version(lake, before, "a night")
    with patch.object(checkpointing, "_LONG", _LONG):
        compact(lake)
    joined = _named(root)
    write_sessions(lake, "SPX", chain_of("SPX", DAYS[3:], 30.0))
    write_sessions(lake, "NDX", chain_of("NDX", DAYS[1:2], 40.0))
    for name in NAMES:
        _rebuilt(lake, name)
    return before, joined & _named(root)


def _named(root: Path) -> frozenset[str]:
    version = newest(root)
    return frozenset(f"{t}/{p}" for t in (CHAINS, *TABLES) for p in table_files(root, version, t))


def _rebuilt(lake: Lake, name: str) -> None:
    for definition in DEFINITIONS:
        rebuild(lake, name, definition=definition)


def _numbers(lake: Lake) -> list[Any]:
    """Return what commands say of a lake: every session, and every value that was rebuilt."""
    _forget()
    said: list[Any] = []
    for name in lake.underlyings():
        lake.chain_files(name)
        said.append([(e.session, e.fingerprint) for e in lake.sessions(name)])
        for store in stores_of(lake, name):
            said += [rows_of(lake, name, table, [store]) for table in store.parts[0].tables]
    return said


def _forget() -> None:
    """Forget what logs said: a process that begins now would read them."""
    delta_log.files_at.cache_clear()
    delta_log._block.cache_clear()


def _asked(lake: Lake) -> list[Any]:
    """Return what SQL says of the same: number and digest of the rows of every view."""
    _forget()
    of_views = (
        f"SELECT '{view}' AS v, count(*) AS n, bit_xor(hash(t)) AS h FROM {view} t"  # noqa: S608
        for view in (CHAINS, *TABLES)
    )
    found = query(lake, " UNION ALL ".join(of_views) + " ORDER BY v", definition=DEFAULT)
    return list(found.to_pylist())


def _readers(root: Path, before: int) -> dict[str, Callable[[], list[Any]]]:
    return {
        "now": lambda: _numbers(open_lake(root)),
        "then": lambda: _numbers(open_lake(root, as_of=before)),
        "sql": lambda: _asked(open_lake(root)),
    }


def _kinds(root: Path, joined: frozenset[str]) -> dict[str, list[Path]]:
    """Return the files of a lake by kind; those that a compaction made are kinds of their own."""
    found: dict[str, list[Path]] = {}
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        below = path.relative_to(root).as_posix()
        kind = below.partition("/")[0]
        if "checkpoint" in path.name:
            kind = "checkpoints"
        elif "/_delta_log/" in below:
            kind = f"log of {kind}"
        elif path.name == MARK:
            kind = "mark"
        elif below in joined:
            kind = f"joint {kind}"
        found.setdefault(kind, []).append(path)
    return found


def _order(draw: random.Random, kinds: Iterable[str]) -> list[str]:
    """Return the kinds in the order in which they are harmed: joint ones early and often."""
    joint = sorted(kind for kind in kinds if kind.startswith("joint "))
    rest = sorted(set(kinds).difference(joint))
    draw.shuffle(joint)
    draw.shuffle(rest)
    joint.sort(key=lambda kind: kind != f"joint {CHAINS}")
    order: list[str] = []
    while joint or rest:
        order += joint[:1] + rest[:2]
        del joint[:1], rest[:2]
    return order


def _harm(draw: random.Random, what: str, path: Path, kinds: Mapping[str, list[Path]]) -> bytes:
    """Change a file; return what it held."""
    whole = path.read_bytes()
    path.unlink()
    if what == "flip":
        at = draw.randrange(len(whole))
        changed = bytes([whole[at] ^ (1 << draw.randrange(8))])
        path.write_bytes(whole[:at] + changed + whole[at + 1 :])
    elif what == "cut":
        path.write_bytes(whole[: draw.randrange(len(whole))])
    elif what == "zeros":
        path.write_bytes(bytes(len(whole)))
    elif what == "exchanged":
        alike = next(paths for paths in kinds.values() if path in paths)
        every = [other for paths in kinds.values() for other in paths]
        others = [p.read_bytes() for p in (alike if draw.random() < 0.7 else every) if p != path]
        others = [content for content in others if content != whole]
        path.write_bytes(draw.choice(others or [whole[::-1]]))
    return whole


def flips(count: int, seed: int) -> dict[str, Any]:
    """Flip so many single bytes of a lake; cut, zero, delete and exchange a fifth as many files.

    One file after the other, each kind as often as another.

    Returns
    -------
    dict
        How often what was done and noticed, in all and by kind; ``unseen`` lists what was not.
    """
    draw = random.Random(seed)
    each = max(1, count // _SHARE)
    harms = {"flip": count, "cut": each, "zeros": each, "deleted": each, "exchanged": each}
    by_kind: dict[str, Counter[str]] = {}
    unseen: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "lake"
        before, joined = made_lake(root)
        kinds = _kinds(root, joined)
        order = _order(draw, kinds)
        readers = _readers(root, before)
        right = {who: read() for who, read in readers.items()}
        for what, turn in ((w, i + j) for j, (w, n) in enumerate(harms.items()) for i in range(n)):
            kind = order[turn % len(order)]
            path = draw.choice(kinds[kind])
            whole = _harm(draw, what, path, kinds)
            seen = _noticed(root, readers, right, sql=kind.removeprefix("joint ") in _ASKED)
            unseen += [f"{what} {path.relative_to(root)}: {wrong}" for wrong in seen.wrong]
            by_kind.setdefault(kind, Counter()).update([what, *seen.outcome])
            path.unlink(missing_ok=True)
            path.write_bytes(whole)
        assert not verify(root).damaged
    return _told(by_kind, harms) | {"unseen": unseen}


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was noticed of one harm, and what was not."""

    outcome: list[str]
    wrong: list[str]


def _noticed(
    root: Path,
    readers: Mapping[str, Callable[[], list[Any]]],
    right: Mapping[str, list[Any]],
    *,
    sql: bool,
) -> _Seen:
    """Verify and read a lake; SQL, which takes a process of its own, where it reads the file."""
    wrong, refused = list[str](), 0
    verified = bool(verify(root).damaged)
    if not verified:
        wrong.append("not found")
    for who, read in readers.items():
        if who == "sql" and not sql:
            continue
        try:
            if read() != right[who]:
                wrong.append(f"another number ({who})")
        except GexlabError:
            refused += 1
    outcome = ["verified"] if verified else []
    return _Seen([*outcome, "refused" if refused else "right all the same"], wrong)


def _told(by_kind: Mapping[str, Counter[str]], harms: Iterable[str]) -> dict[str, Any]:
    """Return the counts in all, of files that a compaction made, and by kind."""
    total, joint = Counter[str](), Counter[str]()
    for kind, tally in by_kind.items():
        total += tally
        if kind.startswith("joint "):
            what = CHAINS if kind == f"joint {CHAINS}" else "rebuilt"
            joint[what] += sum(tally[harm] for harm in harms)
    kinds = {kind: dict(sorted(tally.items())) for kind, tally in sorted(by_kind.items())}
    harmed = sum(total[harm] for harm in harms)
    return {"harmed": harmed, **dict(sorted(total.items())), "joint": dict(joint), "kinds": kinds}
