"""Whether the results in a folder still are what a run would give.

Beside its results a run leaves a note: a digest of everything that they depend on, and the digest
of every file. They stand where both are found again; whatever is missing, cut short, replaced by
another run or no longer computed in the same way does not.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data import file_fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...backtest import Config, Market

__all__ = [
    "NOTE_FILE",
    "code_digest",
    "depends_on",
    "facts_digest",
    "folder_name",
    "note_of",
    "stands",
    "truth_beside",
]

NOTE_FILE = "nightly.json"
#: Digits of the key that a folder of results is named by.
_KEY = 10
#: Files without which a folder holds no complete results.
_NEEDED = frozenset(
    {
        "report.html",
        "results.json",
        "trades.parquet",
        "orders.parquet",
        "equity.parquet",
        "targets.json",
        "targets.csv",
    }
)
_PACKAGES = ("backtest", "data", "reports", "strategies")


def stands(folder: Path, key: str) -> bool:
    """Return whether a folder holds, byte for byte, what a run with this key left."""
    try:
        note = json.loads((folder / NOTE_FILE).read_text(encoding="utf-8"))
        files = note["files"]
        return (
            note["key"] == key
            and note["facts_sha256"] == facts_digest(note["facts"])
            and files.keys() >= _NEEDED
            and all(file_fingerprint(folder / name) == digest for name, digest in files.items())
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def note_of(folder: Path, key: str, facts: object = None) -> dict[str, Any]:
    """Return the note on a folder of results: the run's key, the digests of files and of facts."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    digests = {path.name: file_fingerprint(path) for path in files}
    return {"key": key, "facts_sha256": facts_digest(facts), "files": digests}


def folder_name(session: object, key: str) -> str:
    """Return the name of a folder of results, by the last session and the run's key."""
    return f"{session}-{key[:_KEY]}"


def facts_digest(facts: object) -> str:
    """Return a digest of what the note itself says of a night, as JSON has it."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def depends_on(config: Config, market: Market, beside: tuple[str, ...] = ()) -> str:
    """Return a digest of everything that results and report depend on.

    The configuration, the definition, every input as it is now (bars, series, chains, positions,
    the truth of a simulated market), the regime rows themselves, and the code: gexlab's own files
    and the versions of the libraries. `beside` is what else the report says: alerts, and what
    earlier nights forecast.
    """
    from ...backtest import content_id

    parts = [content_id(config, market), *beside]
    parts += [f"{path.name}={file_fingerprint(path)}" for path in _files_beside(config)]
    parts += [_rows(market), *(f"{k}={v}" for k, v in _versions().items()), code_digest()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _files_beside(config: Config) -> Iterator[Path]:
    """Yield the inputs that a market does not list: a simulated market's truth."""
    if config.regime.source == "lake" and config.data.lake is not None:
        lake = Path(config.data.lake)
        truth = (lake / "truth.json", lake / "truth.parquet")
        yield from (path for path in truth if path.is_file())


def truth_beside(config: Config) -> Iterator[Path]:
    """Yield the files of a simulated market that a report holds estimates against."""
    lake = config.data.lake
    if config.regime.source == "lake" and lake is not None and "://" not in lake:
        folder = Path(lake)
        if (folder / "truth.json").is_file():
            names = ("truth.json", "truth.parquet", "bars.parquet", "intraday.parquet")
            yield from (folder / name for name in names if (folder / name).is_file())
    beside = config.data.bars.parent / "truth.json"
    if beside.is_file():
        yield beside


def _rows(market: Market) -> str:
    """Return a digest of the regime rows, whatever file they were read from."""
    import pandas as pd

    rows = pd.util.hash_pandas_object(market.regime.table).to_numpy()
    return hashlib.sha256(rows.tobytes()).hexdigest()


def _versions() -> dict[str, str]:
    from ..cli.doctor import package_versions

    return package_versions()


@cache
def code_digest() -> str:
    """Return a digest of gexlab's own files: an upgrade need not change the version's number."""
    digest = hashlib.sha256()
    for package in _PACKAGES:
        root = Path(__file__).resolve().parents[2] / package
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(
                    f"{package}/{path.relative_to(root)}={file_fingerprint(path)}".encode()
                )
    return digest.hexdigest()
