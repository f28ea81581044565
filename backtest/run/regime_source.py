"""The regime that a configuration names: rebuilt from a lake, or published by somebody else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...data import (
    ConfigError,
    Definition,
    Progress,
    RebuiltRows,
    RegimeSpec,
    definition_from_table,
    definition_named,
    file_fingerprint,
    labels_by_band,
    labels_by_sign,
    load_series,
    rebuilt_rows,
    silent,
)
from .lake_of import lake_of
from .results import Notice, RunInput
from .soundness import sound_series

if TYPE_CHECKING:
    from ...data import Book, Finding, Lake, PeerRule
    from .config import Config
    from .config_sections import SeriesConfig

__all__ = [
    "IMPLIED",
    "NamedSeries",
    "RegimeInput",
    "RegimeSource",
    "definition_of",
    "in_period",
    "read_named_series",
    "read_regime",
    "regime_in_period",
    "regime_spec",
    "series_in_period",
    "until_end",
    "written_path",
]

#: What reports show of a regime row, beside its value, label and publication.
_SHOWN = (
    "spot",
    "net_to_gross",
    "flip",
    "flip_status",
    "call_wall",
    "put_wall",
    "definition_agreement",
)


@dataclass(frozen=True, slots=True, eq=False)
class RegimeSource:
    """A regime by session, with where it comes from.

    Attributes
    ----------
    kind : {"lake", "series"}
    name, known : str
        What it is and when it is public, in words.
    table : DataFrame
        Indexed by session: ``value``, ``regime``, ``known_at`` (UTC) and, from a lake, what
        reports show of it.
    definition_id : str or None
    inputs : tuple of InputFile
    notices : tuple of Notice
    content_id : str
        Of everything that the table was made from.
    rebuilt : RebuiltRows or None
        The lake's rows behind it, side tables included; None of a series.
    lake_version : int or None
        The version of the lake that wrote the chains; None of a series.
    findings : tuple of Finding
        What is wrong with the values of a series.
    promoted : mapping of Timestamp to tuple of str
        Sessions that abstain because of promoted findings, with the checks.
    """

    kind: Literal["lake", "series"]
    name: str
    known: str
    table: pd.DataFrame
    definition_id: str | None
    inputs: tuple[RunInput, ...]
    notices: tuple[Notice, ...]
    content_id: str = ""
    rebuilt: RebuiltRows | None = None
    lake_version: int | None = None
    findings: tuple[Finding, ...] = ()
    promoted: Mapping[pd.Timestamp, tuple[str, ...]] = field(default_factory=dict)

    @property
    def rows(self) -> RebuiltRows:
        """The lake's rows behind the regime.

        Raises
        ------
        ConfigError
            If the regime is a series.
        """
        if self.rebuilt is None:
            raise ConfigError("the regime is a published series: there are no rebuilt rows of it")
        return self.rebuilt


@dataclass(frozen=True, slots=True, eq=False)
class NamedSeries:
    """A series as its file holds it.

    Attributes
    ----------
    frame : DataFrame
        Columns ``session``, ``value``, ``known_at``, ascending.
    left_out : tuple of datetime64
        Days of rows that are no sessions.
    file : RunInput
    name : str
        File and column.
    """

    frame: pd.DataFrame
    left_out: tuple[np.datetime64, ...]
    file: RunInput
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class RegimeInput:
    """All that a regime's source holds, whatever the period: a series, or rows of a lake.

    Attributes
    ----------
    series : NamedSeries or None
    rows : RebuiltRows or None
        Up to date with the lake.
    table : DataFrame or None
        Its regime rows by session, with the chains' own volatility.
    """

    series: NamedSeries | None = None
    rows: RebuiltRows | None = None
    table: pd.DataFrame | None = None


def regime_spec(config: Config, books: tuple[Book, ...] | None = None) -> RegimeSpec:
    """Return what a configuration's regime is rebuilt by: its definition file is read here.

    Parameters
    ----------
    config : Config
    books : tuple of {"as_of_close", "post_expiry"}, optional
        The configured one where it is left out.

    Raises
    ------
    DefinitionError, InputFileError, UnknownNameError
        If the definition's file, or the file of a curve, cannot be read.
    """
    setting = config.regime
    return RegimeSpec(
        config.data.underlying,
        definition_of(config),
        setting.dealer_model,
        setting.positions,
        (setting.book,) if books is None else books,
        instrument=config.data.instrument_kind,
    )


def definition_of(config: Config) -> Definition | PeerRule:
    """Return the definition that a configuration states."""
    stated = config.regime.definition
    if isinstance(stated, Mapping):
        return definition_from_table(stated, config.folder, "of the configuration")
    return definition_named(stated)


def read_regime(
    config: Config,
    calendar: str,
    *,
    lake: Lake | None = None,
    books: tuple[Book, ...] | None = None,
    progress: Progress = silent,
) -> RegimeInput:
    """Read the regime that a configuration names; what the lake lacks of it is rebuilt first.

    Parameters
    ----------
    config : Config
    calendar : str
    lake : Lake, optional
        The configured one where it is open already.
    books : tuple of {"as_of_close", "post_expiry"}, optional
        Brought up to date, the configured one among them; that one alone where left out.
    progress : Progress
    """
    if config.regime.source == "series":
        assert config.regime.series is not None  # the configuration's own check
        return RegimeInput(series=read_named_series(config.regime.series, config, calendar))
    setting, data = config.regime, config.data
    assert data.lake is not None  # the configuration's own check
    rows = rebuilt_rows(lake or lake_of(config), regime_spec(config, books), progress=progress)
    frame = _with_implied(rows, setting.book)
    table = frame.set_index(pd.DatetimeIndex(frame["session"], name="session")).sort_index()
    table.index = pd.DatetimeIndex(table.index).as_unit("ns")
    return RegimeInput(rows=rows, table=table)


def regime_in_period(read: RegimeInput, config: Config) -> RegimeSource:
    """Return the regime of a configuration: everything that there is of it up to its end.

    What lies before its start warms filters up; notices count nothing of it.
    """
    if read.series is not None:
        return _from_series(read.series, config)
    assert read.rows is not None
    assert read.table is not None
    return _from_lake(read.rows, read.table, config)


def read_named_series(series: SeriesConfig, config: Config, calendar: str) -> NamedSeries:
    """Read a series and the fingerprint of its file."""
    found = load_series(series.path, series.columns, series.known, calendar, where=series.where)
    file = RunInput(written_path(series.path, config), file_fingerprint(series.path))
    name = f"{series.path.name} {series.columns.get('value', 'value')}"
    return NamedSeries(found.frame, found.left_out, file, name)


def series_in_period(
    read: NamedSeries, config: Config
) -> tuple[pd.DataFrame, tuple[Notice, ...], tuple[Finding, ...]]:
    """Return a series by session (``value``, ``known_at``) up to the configured end.

    Beside it what was left out, and the values that contradict their neighbours.
    """
    days = pd.DatetimeIndex(np.array(read.left_out, dtype="datetime64[ns]"))
    notices = _left_out(read.file.path, int(in_period(config, days).sum()))
    table, findings = sound_series(read.frame.set_index("session"), read.name, config)
    return table, notices, findings


def until_end(config: Config, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows up to the configured end."""
    end = config.data.end
    return table if end is None else table[table.index <= pd.Timestamp(end)]


def in_period(config: Config, days: pd.Index) -> npt.NDArray[np.bool_]:
    """Return which days lie between the configured start and end."""
    start, end = config.data.start, config.data.end
    inside = np.ones(len(days), dtype=bool)
    if start is not None:
        inside &= np.asarray(days >= pd.Timestamp(start))
    if end is not None:
        inside &= np.asarray(days <= pd.Timestamp(end))
    return inside


def written_path(path: Path, config: Config) -> str:
    """Return a path relative to the configuration's folder, the same on every machine.

    Of a file far away only the name: the way to it would show whose home it lies in.

    Parameters
    ----------
    path : Path
    config : Config

    Returns
    -------
    str
    """
    relative = Path(os.path.relpath(path, config.folder))
    far = relative.is_absolute() or relative.parts[:2] == ("..", "..")
    return relative.name if far else relative.as_posix()


def _from_series(read: NamedSeries, config: Config) -> RegimeSource:
    series = config.regime.series
    assert series is not None  # the configuration's own check
    table, left_out, findings = series_in_period(read, config)
    table["regime"] = labels_by_sign(table["value"].to_numpy(dtype=float))
    notices = list(left_out)
    if config.regime.band is not None:
        detail = (
            "regime.band acts on net/gross, which a series from outside does not have: "
            "its regime is its sign"
        )
        notices.append(Notice("band_without_effect", "info", detail))
    column = series.columns.get("value", "value")
    return RegimeSource(
        kind="series",
        name=f"{series.path.name}, column {column}",
        known=series.known,
        table=table,
        definition_id=None,
        inputs=(read.file,),
        notices=tuple(notices),
        content_id=read.file.sha256,
        findings=findings,
    )


def _left_out(name: str, rows: int) -> tuple[Notice, ...]:
    if not rows:
        return ()
    detail = f"{name}: rows dated on days that are no sessions, left out: {rows}"
    return (Notice("series_not_sessions", "info", detail, rows),)


def _from_lake(rows: RebuiltRows, whole: pd.DataFrame, config: Config) -> RegimeSource:
    setting, data = config.regime, config.data
    table = until_end(config, whole)
    # strategies may read every number of the row
    shown = ["value", "regime", "known_at", *_SHOWN]
    table = table.assign(value=table["net_gex"])
    numbers = table.select_dtypes("number").columns
    table = table[[*shown, *(name for name in numbers if name not in shown)]]
    table["known_at"] = table["known_at"].astype("datetime64[ns, UTC]")
    table["regime"] = table["regime"].astype(object)
    if setting.band is not None:
        table["regime"] = _relabelled(table, setting.band)
    return RegimeSource(
        kind="lake",
        name=f"net GEX of {data.underlying}, {setting.dealer_model} dealers, {setting.book} book",
        known="known_at of the regime table",
        table=table,
        definition_id=rows.spec.definition_id,
        inputs=_lake_inputs(config, rows),
        notices=(),
        content_id=rows.content_of(setting.book),
        rebuilt=rows,
        lake_version=rows.lake_version,
    )


#: Columns of the chains' own volatility of the next 30 days that stand beside a regime's.
IMPLIED: Final = ("swap_30d", "atm_30d", "swap_next_days", "atm_next_days")


def _with_implied(rows: RebuiltRows, book: Book) -> pd.DataFrame:
    """Return the regime table with the chains' own volatility; a peer's rule has none."""
    frame = rows.table("regimes", book)
    if rows.job is None:
        return frame
    implied = rows.table("implied_volatility", book)
    return frame.merge(implied[["session", *IMPLIED]], on="session", how="left", validate="1:1")


def _relabelled(table: pd.DataFrame, band: float) -> pd.Series[str]:
    """Return labels with another neutral band; what abstains keeps abstaining."""
    ratio = table["net_to_gross"].to_numpy(dtype=float)
    abstained = (table["regime"] == "abstain").to_numpy()
    return pd.Series(labels_by_band(ratio, band, abstained), index=table.index)


def _lake_inputs(config: Config, rows: RebuiltRows) -> tuple[RunInput, ...]:
    """Return the lake, as the content id of the rows read, and the files beside it."""
    spec = rows.spec
    files = [spec.positions] if spec.positions else []
    if isinstance(spec.definition, Definition):
        curves = (spec.definition.rate_curve, spec.definition.dividend_curve)
        files += [Path(curve.path) for curve in curves if curve]
    address = str(config.data.lake)
    if "://" in address:  # the same on every machine; where its mirror lies is not
        stated = address.rstrip("/")
    else:
        stated = written_path(Path(address).expanduser().absolute(), config)
    lake = RunInput(stated, rows.content_of(config.regime.book))
    beside = (RunInput(written_path(file, config), file_fingerprint(file)) for file in files)
    return (lake, *beside)
