"""Sections of the configuration that count and judge trials: ``[ledger]`` and ``[tournament]``."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from .config_sections import PlaceNearConfig
from .section_base import Section

__all__ = ["FoldsConfig", "LedgerConfig", "TournamentConfig"]


class LedgerConfig(Section):
    """Where trials are recorded.

    Attributes
    ----------
    path : Path or None
        Folder, or an address in an object store. None: ``ledger`` beside the lake, a table in it
        where it lies in an object store, and none without a lake.
    stand_ins : tuple of tuple of str
        Underlyings that count as one market, beyond those built in.
    """

    path: PlaceNearConfig | None = None
    stand_ins: tuple[tuple[str, ...], ...] = ()


#: A number of sessions, of calendar years (``5y``) or of quarters (``2q``).
Length = Annotated[int, Field(ge=1)] | Annotated[str, Field(pattern=r"^[1-9]\d{0,3}[yq]$")]


class FoldsConfig(Section):
    """How sessions are cut into trainings and tests.

    Attributes
    ----------
    kind : {"anchored", "rolling", "combinatorial"}
    train, test : int, str or None
        Sessions, or years (``5y``) or quarters (``2q``). None: 5y and 1y where there are ten years,
        else a third of the sessions and six tests.
    groups, tested : int
        Of combinatorial folds.
    embargo : int
        Sessions left out beyond what windows and holding times ask for.
    """

    kind: Literal["anchored", "rolling", "combinatorial"] = "anchored"
    train: Length | None = None
    test: Length | None = None
    groups: Annotated[int, Field(ge=2, le=20)] = 10
    tested: Annotated[int, Field(ge=1, le=10)] = 2
    embargo: Annotated[int, Field(ge=0)] = 0


class TournamentConfig(Section):
    """What ``gexlab tournament`` holds trials against.

    Attributes
    ----------
    placebos : int
        Random regimes per filter.
    folds : FoldsConfig
    eras : tuple of date
        Each begins an era of the breakdown.
    lockbox : str, date or None
        The last years (``2y``) or quarters, or everything from a date on, stay out of every trial
        until they are opened once.
    """

    placebos: Annotated[int, Field(ge=20, le=100_000)] = 200
    folds: FoldsConfig = FoldsConfig()
    eras: tuple[date, ...] = ()
    lockbox: date | Annotated[str, Field(pattern=r"^[1-9]\d{0,2}[yq]$")] | None = None
