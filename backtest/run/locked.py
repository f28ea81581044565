"""What a lockbox takes out of a configuration's period."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ...data import ConfigError, file_fingerprint
from ..tournament.lockbox import Lockbox, lockbox_of, mark_opened, set_lockbox, start_of
from .results import Notice

if TYPE_CHECKING:
    from datetime import date

    from .config import Config

__all__ = [
    "beside_truth",
    "box_of",
    "closed_lockbox",
    "lockbox_notice",
    "restore_lockbox",
    "without_locked",
]


def closed_lockbox(config: Config, last: date, *, simulated: bool) -> Lockbox | None:
    """Return the lockbox that a configuration must stay out of, setting it where it asks for one.

    Parameters
    ----------
    config : Config
    last : date
        Last session that would be tested without it.
    simulated : bool

    Raises
    ------
    ConfigError
        If one is asked for and there is no ledger to keep it.
    LedgerError
        If the ledger cannot be read or written.
    """
    asked, path = config.tournament.lockbox, config.ledger_path
    if path is None:
        if asked is not None:
            raise ConfigError(
                "tournament.lockbox needs a ledger that remembers it, and this configuration has "
                "none: set [ledger] path"
            )
        return None
    found = box_of(config, simulated=simulated)
    if found is None and asked is not None:
        found = set_lockbox(
            path,
            config.data.underlying,
            start_of(asked, last),
            world=_world(config, simulated),
            stand_ins=config.ledger.stand_ins,
        )
    return found if found is not None and found.closed else None


def box_of(config: Config, *, simulated: bool | None = None) -> Lockbox | None:
    """Return the lockbox of a configuration's market, closed or opened; None where there is none.

    Parameters
    ----------
    config : Config
    simulated : bool, optional
        Whether its market is simulated; None: as the configuration says.

    Returns
    -------
    Lockbox or None

    Raises
    ------
    ConfigError
        If there is no ledger.
    """
    path = config.ledger_path
    if path is None:
        raise ConfigError("this configuration has no ledger: it names no lake; set [ledger] path")
    return lockbox_of(
        path,
        config.data.underlying,
        world=_world(config, beside_truth(config) if simulated is None else simulated),
        stand_ins=config.ledger.stand_ins,
    )


def restore_lockbox(config: Config, first: date, *, opened: bool) -> None:
    """Set the lockbox that a market had into a ledger that has none: for replays.

    Parameters
    ----------
    config : Config
    first : date
        First session kept out.
    opened : bool
    """
    path = config.ledger_path
    if path is None:
        return
    box = set_lockbox(
        path,
        config.data.underlying,
        first,
        world=_world(config, beside_truth(config)),
        stand_ins=config.ledger.stand_ins,
    )
    if opened and box.closed:
        mark_opened(path, box, {})


def beside_truth(config: Config) -> bool:
    """Return whether the market is simulated: it says so, or lies beside the truth of one."""
    lake = config.data.lake
    folders = [config.data.bars.parent]
    if config.regime.source == "lake" and lake is not None:
        folders.append(Path(lake))
    return config.data.simulated or any((folder / "truth.json").is_file() for folder in folders)


def _world(config: Config, simulated: bool) -> str:
    return file_fingerprint(config.data.bars) if simulated else ""


def lockbox_notice(box: Lockbox, sessions: int) -> Notice:
    """Return what is said of sessions that are kept out."""
    return Notice(
        "lockbox",
        "info",
        f"sessions from {box.first} on lie in the lockbox of {box.underlying}: no trial sees them "
        "until it is opened, once (gexlab lockbox)",
        sessions,
        left_out=True,
    )


def without_locked(config: Config, box: Lockbox) -> Config:
    """Return the configuration with its period ended before the lockbox.

    Raises
    ------
    ConfigError
        If nothing of the period is left.
    """
    end = box.first - timedelta(days=1)
    start = config.data.start
    if start is not None and start > end:
        raise ConfigError(
            f"sessions from {box.first} on lie in the lockbox of {box.underlying}, and data.start "
            f"is {start}: choose an earlier start, or open it (gexlab lockbox)"
        )
    return config.model_copy(update={"data": config.data.model_copy(update={"end": end})})
