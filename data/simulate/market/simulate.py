"""A simulated market written to a folder: chains, bars and the truth about them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ...base.errors import ConfigError, LakeError
from ...base.progress import Progress, silent
from ...base.publishing import published
from ...calendar.trading import TradingCalendar, trading_calendar
from ...lake.mirror import is_remote
from ..worlds.parameters import Calibration, Mechanism, override, require_known, require_seed
from ..worlds.registry import World, world_named
from . import tables
from .listings import LONGEST, layout_for
from .market import run
from .records import CLOSE_MINUTES, Session, Setting
from .sink import SIMULATED, ChainSink, PositionsSink, chain_sink, positions_sink

__all__ = ["SimulationResult", "setting_for", "simulate"]

_START = date(2015, 1, 2)
_DEFAULT_MINUTES = 5


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """What `simulate` wrote.

    Attributes
    ----------
    world, calibration, underlying : str
    seed : int
    first_session, last_session : date
    sessions, contracts : int
        Sessions, and rows of the chain.
    lake, bars, truth, truth_json, effects : Path
        The lake's folder and the files in it.
    intraday : Path or None
        None where no intraday bars were asked for.
    positions : Path or None
        Dealers' true positions, written where they are not the naive rule's.
    """

    world: str
    calibration: str
    underlying: str
    seed: int
    first_session: date
    last_session: date
    sessions: int
    contracts: int
    lake: Path
    bars: Path
    truth: Path
    truth_json: Path
    effects: Path
    intraday: Path | None
    positions: Path | None

    def moved(self, folder: Path) -> SimulationResult:
        """Return the result with the paths that its files have in another folder.

        Parameters
        ----------
        folder : Path

        Returns
        -------
        SimulationResult
        """
        held = {f.name: getattr(self, f.name) for f in fields(self)}
        inside: dict[str, Any] = {
            name: folder / path.relative_to(self.lake)
            for name, path in held.items()
            if isinstance(path, Path)
        }
        return replace(self, **inside)


def simulate(
    world: str,
    *,
    years: float,
    seed: int,
    lake: str | Path,
    contracts: int = 1_000,
    calibration: Calibration = "visible",
    intraday: int | None = _DEFAULT_MINUTES,
    start: date = _START,
    underlying: str = "SIM",
    parameters: Mapping[str, object] | None = None,
    progress: Progress | None = None,
) -> SimulationResult:
    """Write a simulated market with known truth.

    Parameters
    ----------
    world : str
        A name of `worlds`.
    years : float
        Length; sessions are those of the New York Stock Exchange.
    seed : int
        The same seed gives the same bytes.
    lake : str or Path
        Folder that receives the lake and, in it, ``bars.parquet``, ``intraday.parquet``,
        ``truth.parquet``, ``effects.parquet`` and ``truth.json``.
    contracts : int
        About how many contracts are quoted in a session.
    calibration : {"visible", "realistic"}
        Size of the effect: large enough for tests, or as published estimates allow.
    intraday : int or None
        Minutes per intraday bar, a divisor of 30. None writes no intraday bars (prices still
        move in 5-minute steps).
    start : date
        The first session is the first one at or after this day.
    underlying : str
        Name of the market in the lake.
    parameters : mapping, optional
        Fields of `Market` and `Mechanism` to replace.
    progress : Progress, optional
        Called after each month.

    Returns
    -------
    SimulationResult
        Paths and counts.

    Raises
    ------
    ConfigError
        If a parameter is not valid, or hedging becomes so strong that no price clears it.
    UnknownNameError
        If the world, the calibration or a parameter does not exist.
    LakeError
        If the folder cannot be written, or holds chains of that name that were not simulated.
    """
    kind = world_named(world)
    require_seed(seed)
    setting = setting_for(
        kind,
        years=years,
        contracts=contracts,
        calibration=calibration,
        intraday=intraday,
        start=start,
        parameters=parameters or {},
    )
    if is_remote(lake):
        raise LakeError(
            f"{lake}: bars and the truth of a simulated market lie beside its lake: name a folder"
        )
    place = Path(lake).expanduser().absolute()
    names = (world, calibration, underlying, seed)
    with _naming(place), _folders_for(place) as folders:
        result = _write_market(
            kind,
            setting,
            folders,
            names,
            with_bars=intraday is not None,
            progress=progress or silent,
        )
    _remove_former(result.moved(place))
    return result.moved(place)


def _write_market(
    kind: World,
    setting: Setting,
    folders: tuple[Path, Path],
    names: tuple[str, str, str, int],
    *,
    with_bars: bool,
    progress: Progress,
) -> SimulationResult:
    world, calibration, underlying, seed = names
    home, folder = folders
    source = f"{SIMULATED}{world}:{calibration}:{seed}"
    with (
        chain_sink(home, underlying) as sink,
        positions_sink(folder, wanted=_hides(setting.mechanism)) as positions,
    ):
        collected = _Collected(setting, sink, positions, (underlying, source), with_bars)
        _drive(run(setting, seed), collected, progress, setting)
        result = _result(setting, collected, folder, names)
        _write_files(collected, result)
        truth = _truth_json(kind, setting, collected, result)
        result.truth_json.write_text(json.dumps(truth, indent=2) + "\n", encoding="utf-8")
    return result


def setting_for(
    kind: World,
    *,
    years: float,
    contracts: int,
    calibration: Calibration,
    intraday: int | None,
    start: date,
    parameters: Mapping[str, object],
) -> Setting:
    """Return what a run of `kind` depends on; arguments as in `simulate`."""
    require_known(parameters)
    market, mechanism = kind.calibration(calibration)
    market, mechanism = override(market, parameters), override(mechanism, parameters)
    kind.effects(mechanism)
    minutes = _DEFAULT_MINUTES if intraday is None else intraday
    if minutes < 1 or CLOSE_MINUTES % minutes:
        raise ConfigError(
            f"intraday: expected minutes that divide {CLOSE_MINUTES}, found {minutes}; use 1, 5, "
            "10 or 30"
        )
    calendar = trading_calendar()
    first, last = _span(calendar, start, years)
    return Setting(
        market,
        mechanism,
        layout_for(contracts),
        calendar,
        first,
        last,
        minutes,
    )


def _span(calendar: TradingCalendar, start: date, years: float) -> tuple[int, int]:
    if not 0 < years <= 50:
        raise ConfigError(f"years: expected more than 0 and at most 50, found {years:g}")
    end = start + timedelta(days=round(365.25 * years) - 1)
    reach = calendar.sessions[-1].item() - timedelta(days=LONGEST + 10)
    if end > reach or start < calendar.sessions[0].item():
        raise ConfigError(
            f"years and start: expected a market between {calendar.sessions[0]} and {reach} (the "
            f"calendar must reach its last expiration), found {start} to {end}; ask for fewer "
            "years or another start"
        )
    first = int(np.searchsorted(calendar.sessions, np.datetime64(start, "D")))
    return first, max(first, calendar.position(end, at_or_before=True))


class _Collected:
    """Small tables of a run, gathered month by month; what is large goes straight to its file."""

    def __init__(
        self,
        setting: Setting,
        sink: ChainSink,
        positions: PositionsSink,
        labels: tuple[str, str],
        with_bars: bool,
    ) -> None:
        self.setting, self.sink, self.positions = setting, sink, positions
        self.labels, self.with_bars = labels, with_bars
        self.parts: dict[str, list[pa.Table]] = {}
        self.rows = 0
        self.sessions: list[int] = []

    def add(self, sessions: Sequence[Session]) -> None:
        """Take the sessions of one month."""
        calendar = self.setting.calendar
        chain = tables.chain_table(sessions, calendar, *self.labels)
        self.sink.add(chain)
        self.rows += chain.num_rows
        self.sessions += [s.position for s in sessions]
        self._keep("bars", tables.bars_table(sessions, calendar))
        self._keep("truth", tables.truth_table(sessions, calendar))
        self._keep("effects", tables.effects_table(sessions, calendar))
        if self.with_bars:
            minutes = self.setting.minutes
            self._keep("intraday", tables.intraday_table(sessions, calendar, minutes))
        if self.positions.wanted:
            self.positions.add(tables.positions_table(sessions, calendar))

    def _keep(self, name: str, table: pa.Table) -> None:
        self.parts.setdefault(name, []).append(table)

    def table(self, name: str) -> pa.Table:
        """Return everything gathered under a name."""
        return pa.concat_tables(self.parts[name]).combine_chunks()


def _drive(
    sessions: Iterator[Session], collected: _Collected, progress: Progress, setting: Setting
) -> None:
    """Feed months to the tables; the next month is simulated while one is being written."""
    total = setting.last - setting.first + 1
    days = setting.calendar.sessions.astype("datetime64[M]")
    with ThreadPoolExecutor(max_workers=1) as pool:
        writing = None
        for month, group in groupby(sessions, key=lambda s: days[s.position]):
            batch = list(group)
            if writing is not None:
                writing.result()
                progress(len(collected.sessions), total, str(month))
            writing = pool.submit(collected.add, batch)
        if writing is not None:
            writing.result()
    progress(total, total, "written")


def _result(
    setting: Setting, collected: _Collected, folder: Path, names: tuple[str, str, str, int]
) -> SimulationResult:
    days = setting.calendar.sessions
    found = collected.parts
    return SimulationResult(
        *names,
        first_session=days[setting.first].item(),
        last_session=days[setting.last].item(),
        sessions=len(collected.sessions),
        contracts=collected.rows,
        lake=folder,
        bars=folder / "bars.parquet",
        truth=folder / "truth.parquet",
        truth_json=folder / "truth.json",
        effects=folder / "effects.parquet",
        intraday=folder / "intraday.parquet" if "intraday" in found else None,
        positions=collected.positions.path if collected.positions.wanted else None,
    )


def _write_files(collected: _Collected, result: SimulationResult) -> None:
    for name in collected.parts:
        path = result.lake / f"{name}.parquet"
        pq.write_table(collected.table(name), path, compression="zstd")


def _remove_former(result: SimulationResult) -> None:
    """Remove the files of an earlier run into the same folder that this one has none of."""
    for name, path in (("intraday", result.intraday), ("positions", result.positions)):
        if path is None:
            (result.lake / f"{name}.parquet").unlink(missing_ok=True)


def _truth_json(
    kind: World, setting: Setting, collected: _Collected, result: SimulationResult
) -> dict[str, Any]:
    kappa = collected.table("effects").column("kappa").to_numpy()
    return {
        "world": kind.name,
        "title": kind.title,
        "equation": kind.equation,
        "truth": kind.truth,
        "simulated": True,
        "calibration": result.calibration,
        "seed": result.seed,
        "underlying": result.underlying,
        "first_session": str(result.first_session),
        "last_session": str(result.last_session),
        "sessions": result.sessions,
        "contracts": result.contracts,
        "dealer_model": "signed" if _hides(setting.mechanism) else "naive",
        "rates": {"rate": 0.0, "dividend_yield": 0.0},
        "parameters": {"market": asdict(setting.market), "mechanism": asdict(setting.mechanism)},
        "layout": asdict(setting.layout),
        "bar_minutes": setting.minutes,
        "effects": {
            **kind.effects(setting.mechanism),
            "kappa_mean": float(kappa.mean()),
            "kappa_sd": float(kappa.std()),
            "kappa_min": float(kappa.min()),
            "kappa_max": float(kappa.max()),
            "negative_share": _negative_share(collected.table("truth")),
        },
    }


def _negative_share(truth: pa.Table) -> float | None:
    """Return the share of sessions, all but the first, that begin with dealers short gamma.

    From the dealers' positions, not from what hedging does: in a world that hedges nothing dealers
    still are short at times. None where there is only one session.
    """
    books = truth.column("book").to_numpy(zero_copy_only=False)
    before = truth.column("net_gex").to_numpy()[books == "post_expiry"][:-1]
    return float((before < 0).mean()) if before.size else None


def _hides(mechanism: Mechanism) -> bool:
    return mechanism.reversed_from < 1 or mechanism.reliability < 1 or mechanism.noise_sd > 0


@contextmanager
def _folders_for(place: Path) -> Iterator[tuple[Path, Path]]:
    """Give the folders for chains and for the files beside them.

    Both are a new one that appears whole. Where a lake is there already, chains go into it, which
    may hold other underlyings: they count from their commit on, and the files follow in one step.
    """
    with published(place) as stage:
        yield (place if place.is_dir() and any(place.iterdir()) else stage), stage


@contextmanager
def _naming(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LakeError(
            f"cannot write the simulated market to {folder}: {error.strerror or error}; choose a "
            "folder you may write to"
        ) from error
