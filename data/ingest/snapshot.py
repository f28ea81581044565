"""Start a history for free: one snapshot of Cboe's delayed quotes into the lake."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..base.errors import InputFileError, LakeError
from .download import Download, Retries, download

if TYPE_CHECKING:
    from ..lake.lake import Lake
    from .ingest import IngestResult

__all__ = ["CBOE_URL", "SnapshotResult", "snapshot"]

#: ``{symbol}`` is the underlying, with a leading underscore for indices.
CBOE_URL: Final = "https://cdn.cboe.com/api/global/delayed_quotes/options/{symbol}.json"
_VENDOR: Final = "cboe_delayed_json"
_INDICES: Final = frozenset(
    {"SPX", "XSP", "NDX", "XND", "RUT", "MRUT", "DJX", "VIX", "OEX", "XEO", "NANOS", "SPESG"}
)
_JSON_TYPES: Final = ("application/json", "text/json", "text/plain", "application/octet-stream")


@dataclass(frozen=True, slots=True)
class SnapshotResult:
    """What one snapshot brought.

    Attributes
    ----------
    underlying : str
        E.g. ``"SPX"``.
    url : str
        The address asked.
    taken_at : datetime
        The server's stamp of the snapshot, UTC.
    raw_file : Path
        The bytes as received, kept for ever: the lake can be rebuilt from them.
    size : int
        Bytes received.
    attempts : int
        Attempts it took.
    ingest : IngestResult
        Rows read, written and rejected.
    """

    underlying: str
    url: str
    taken_at: datetime
    raw_file: Path
    size: int
    attempts: int
    ingest: IngestResult


def snapshot(
    underlying: str,
    lake: Lake,
    *,
    url: str = CBOE_URL,
    timeout: float = 120.0,
    retries: int = 4,
    max_bytes: int = 128 << 20,
    patience: Retries | None = None,
) -> SnapshotResult:
    """Download Cboe's delayed quotes once, keep the raw file, and ingest it.

    Parameters
    ----------
    underlying : str
        E.g. ``"SPX"`` or ``"SPY"``.
    lake : Lake
        Where the rows go; the raw file is kept in its folder ``raw/cboe_delayed_json``.
    url : str
        Address; ``{symbol}`` stands for the underlying as Cboe writes it (``_SPX``). Must be
        https, or http on this machine.
    timeout : float
        Seconds for everything: all attempts and the pauses between them.
    retries : int
        Attempts after the first one, with doubling pauses; after errors that may pass only.
    max_bytes : int
        Largest file that is taken.
    patience : Patience, optional
        Everything about waiting at once, instead of `timeout` and `retries`.

    Returns
    -------
    SnapshotResult

    Raises
    ------
    InputFileError
        When the address is not allowed or redirects elsewhere, the server refuses or sends
        something else than this underlying's delayed quotes, or every attempt failed. The lake is
        unchanged then.
    """
    from .ingest import ingest

    name = _checked_name(underlying)
    address = url.replace("{symbol}", _cboe_symbol(name))
    waiting = patience or Retries(timeout=timeout, retries=retries)
    received = download(
        address, patience=waiting, max_bytes=max_bytes, accept=lambda body: _require_complete(body)
    )
    taken_at = _require_chain(received, name, address)
    raw_file = _keep(received.body, lake.root, name, taken_at)
    done = ingest([raw_file], vendor=_VENDOR, underlying=name, lake=lake)
    return SnapshotResult(
        name, address, taken_at, raw_file, len(received.body), received.attempts, done
    )


def _checked_name(underlying: str) -> str:
    if re.fullmatch(r"[A-Z][A-Z0-9.]{0,11}", underlying):
        return underlying
    raise InputFileError(
        f"expected an underlying of capital letters and digits, found {underlying!r}: use e.g. SPX"
    )


def _cboe_symbol(underlying: str) -> str:
    return f"_{underlying}" if underlying in _INDICES else underlying


def _require_complete(body: bytes) -> None:
    """Raise ValueError where a body that looks like JSON is cut short."""
    if body.lstrip()[:1] in (b"{", b"["):
        json.loads(body)


def _require_chain(received: Download, underlying: str, url: str) -> datetime:
    """Return the server's stamp, or say what is not as expected."""
    if received.content_type not in _JSON_TYPES or received.body.lstrip()[:1] != b"{":
        raise InputFileError(
            f"{url}: expected Cboe delayed quotes as JSON, found {received.content_type} beginning "
            f"with {received.body[:24]!r}: check the address"
        )
    found = json.loads(received.body)
    data = found.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("options"), list):
        raise InputFileError(
            f"{url}: expected the keys timestamp and data.options, found {sorted(found)[:5]}: "
            "check the address"
        )
    symbol = str(data.get("symbol", "")).lstrip("^_")
    if symbol != underlying:
        raise InputFileError(
            f"{url}: expected quotes of {underlying}, found {symbol!r}: check the symbol"
        )
    return _stamp(found.get("timestamp"), url)


def _stamp(value: object, url: str) -> datetime:
    try:
        return datetime.strptime(str(value), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise InputFileError(
            f"{url}: expected a timestamp YYYY-MM-DD HH:MM:SS, found {value!r}: the format has "
            "changed, or this is not the delayed-quotes file"
        ) from error


def _keep(body: bytes, root: Path, underlying: str, taken_at: datetime) -> Path:
    """Write the raw bytes in one step; the same bytes are kept once."""
    digest = hashlib.sha256(body).hexdigest()[:12]
    folder = root / "raw" / _VENDOR / underlying
    target = folder / f"{underlying}_{taken_at:%Y%m%dT%H%M%SZ}_{digest}.json"
    fresh = folder / f".{target.name}.{os.getpid()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb") as stream:
            stream.write(body)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(target)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise LakeError(
            f"cannot keep the raw file in {folder}: {error.strerror}; free space or choose a "
            "folder you may write to"
        ) from error
    return target
