"""A universe in three lakes: by one process, by two local workers, and in an object store.

    python tests/robustness/same_everywhere.py --real FILE.parquet --map FILE.map.toml
    python tests/robustness/same_everywhere.py --names 200 --sessions 500 [--contracts 40]
        [--ways here,workers,store,store-workers] [--folder DIR]

In each the same commands are run: `ingest`, `rebuild`, `regimes`, `cross-section --test
--long-short`, `verify` (of the store through a cache that knows nothing of it). Every file of
chains and of rebuilt tables must have the same bytes, and so must everything that the commands
write; what they print must be the same but for seconds. Rows, seconds and peak memory are printed,
and the exit code is 1 where anything differs. The store is moto's server, in a process of its own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))

from make_universe import make_universe
from s3_store import BUCKET, store, surroundings
from watched import Watched, gexlab

from gexlab.data.lake.derived_tables import TABLES
from gexlab.data.lake.records import CHAINS

if TYPE_CHECKING:
    from collections.abc import Mapping

WAYS: Final = ("here", "workers", "store", "store-workers")
#: What may differ between two runs of one command. Files that are verified are more in a store:
#: the ledger of trials is a table of the lake there.
_MAY_DIFFER: Final = ("seconds", "out", "lake", "files")


@dataclass(slots=True)
class Seen:
    """What one way led to.

    Attributes
    ----------
    said : dict
        What each command printed, without what may differ.
    written : dict
        Digest of each file that the commands wrote.
    parts : dict
        For each table of the lake, how often which bytes stand in which folder.
    """

    said: dict[str, Any] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    parts: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)

    def differences(self, other: Seen) -> list[str]:
        """Return what another way says otherwise."""
        found = [f"{k} says otherwise: {_first_difference(v, other.said[k])}"
                 for k, v in self.said.items() if v != other.said[k]]  # fmt: skip
        found += [f"{name} has other bytes" for name in sorted({*self.written, *other.written})
                  if self.written.get(name) != other.written.get(name)]  # fmt: skip
        for table, mine in self.parts.items():
            more, less = other.parts[table] - mine, mine - other.parts[table]
            if more or less:
                example = next(iter((more or less).keys()))[0]
                found.append(
                    f"{table}: {less.total()} of {mine.total()} files have other bytes, e.g. in "
                    f"{example}"
                )
        return found


def told(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def went(
    way: str, folder: Path, file: Path, mapping: Path, address: str, settings: Path | None
) -> Seen:
    """Run all commands in a lake of its own; return what they led to."""
    far = way.startswith("store")
    out, cache, anew = (folder / f"{part}-{way}" for part in ("out", "cache", "anew"))
    out.mkdir()
    lake = f"s3://{BUCKET}/{way}" if far else str(folder / f"lake-{way}")
    spread = ["--workers", "2"] if way.endswith("workers") else []
    more = surroundings(address, cache) if far else {}
    said = ["--settings", settings] if settings else []
    steps: dict[str, list[object]] = {
        "ingest": [file, "--vendor", "columns", "--map", mapping, "--underlying", "*", *spread],
        "rebuild": ["--underlying", "*", *spread, *said],
        "regimes": ["--underlying", "*", "--out", out / "regimes.parquet", *said],
        "cross-section": ["--test", "--long-short", "--out", out / "tables", *said],
        "verify": [],
    }
    seen = Seen()
    for name, options in steps.items():
        if far and name == "verify":
            more = surroundings(address, anew)
        done = gexlab(name, *options, "--lake", lake, "--json", more=more)
        document = json.loads(done.out)
        seen.said[name] = _without(document)
        told(f"{way:13} {_line(name, done, document)}")
    for path in sorted(p for p in out.rglob("*") if p.is_file()):
        seen.written[path.relative_to(out).as_posix()] = _digest(path)
    root = next(anew.glob("gexlab/lakes/*/*/*")) if far else Path(lake)
    for table in (CHAINS, *TABLES):
        files = [p for p in (root / table).rglob("*.parquet") if "_delta_log" not in p.parts]
        seen.parts[table] = Counter(
            (p.parent.relative_to(root).as_posix(), _digest(p)) for p in files
        )
    told(
        f"{way:13} {sum(c.total() for c in seen.parts.values())} files of {len(seen.parts)} tables"
    )
    return seen


def _line(name: str, done: Watched, document: Mapping[str, Any]) -> str:
    counts = {k: document[k] for k in ("rows_written", "rebuilt", "contracts", "files", "sessions",
                                       "damaged", "rows") if k in document}  # fmt: skip
    rows = ", ".join(f"{k} {len(v) if isinstance(v, list) else v}" for k, v in counts.items())
    memory = f"client {done.client:.0f} MB"
    if done.worker:
        memory += f", below it at most {done.worker:.0f} MB"
    return (
        f"{name:13} {done.seconds:7.1f} s by the clock, {done.processor:7.1f} s of processor time, "
        f"{memory}; {rows}"
    )


def _without(document: Any) -> Any:
    if isinstance(document, dict):
        return {k: _without(v) for k, v in document.items() if k not in _MAY_DIFFER}
    if isinstance(document, list):
        return [_without(each) for each in document]
    return document


def _first_difference(one: Any, other: Any, path: str = "") -> str:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(k for k in other if k not in one)]:
            if one.get(key) != other.get(key):
                return _first_difference(one.get(key), other.get(key), f"{path}.{key}")
    return f"{path or 'it'} is {str(one)[:200]} and {str(other)[:200]}"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def compared(seen: Mapping[str, Seen]) -> int:
    """Print how each way differs from the first; return how many do."""
    (first, base), *others = seen.items()
    wrong = 0
    for way, found in others:
        differences = base.differences(found)
        wrong += bool(differences)
        told(f"{way} against {first}: {'; '.join(differences[:5]) or 'identical'}")
    return wrong


def main() -> None:
    """Make the lakes, compare, count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--real", type=Path, help="a file of many underlyings, with --map")
    parser.add_argument("--map", type=Path, dest="mapping")
    parser.add_argument("--settings", type=Path, help="of rebuild, regimes and cross-section")
    for key, value in (("names", 200), ("sessions", 500), ("contracts", 40)):
        parser.add_argument(f"--{key}", type=int, default=value)
    parser.add_argument("--ways", default="here,workers,store")
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    ways = asked.ways.split(",")
    if unknown := set(ways) - set(WAYS):
        parser.error(f"--ways: expected some of {', '.join(WAYS)}, found {', '.join(unknown)}")
    if (asked.real is None) != (asked.mapping is None):
        parser.error("--real and --map go together")
    with tempfile.TemporaryDirectory(prefix="gexlab-same-", dir=asked.folder) as made:
        folder = Path(made)
        file, mapping = asked.real, asked.mapping
        if file is None:
            file, mapping = make_universe(folder, asked.names, asked.sessions, asked.contracts)
        far = any(way.startswith("store") for way in ways)
        with store() if far else nullcontext("") as address:
            seen = {way: went(way, folder, file, mapping, address, asked.settings) for way in ways}
    wrong = compared(seen)
    told(f"{wrong} of {len(ways) - 1} ways differ")
    raise SystemExit(wrong > 0)


if __name__ == "__main__":
    main()
