"""Rebuilds and tables of many underlyings against one at a time."""

from __future__ import annotations

import shlex
import shutil
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gexlab.data import (
    ConfigError,
    Crew,
    DefinitionError,
    GexlabError,
    LakeError,
    Workers,
    check,
    ingest,
    open_lake,
    rebuild,
    regimes,
    verify,
    versions,
    write_sessions,
)
from gexlab.data.base.errors import NotRebuiltError, OutdatedRowsError, UnknownNameError
from gexlab.data.regimes import many, many_pieces

NAMES = ("ABT", "Abt", "BRK/B")
SETTINGS = """
[default]
rate = 0.03

[kinds.share]
dealer = "all_long"

[underlyings.Abt]
instrument = "share"
dividend_yield = 0.02
"""


@pytest.fixture
def folder(tmp_path: Path, make_chain: Any) -> Path:
    lake = open_lake(tmp_path / "lake", create=True)
    for i, name in enumerate(NAMES):
        write_sessions(lake, name, make_chain([date(2026, 7, d) for d in (1, 2, 6 + i)]))
    (tmp_path / "settings.toml").write_text(SETTINGS)
    return tmp_path


def test_each_is_rebuilt_by_what_is_assumed_of_it(folder: Path) -> None:
    lake, settings = folder / "lake", folder / "settings.toml"
    done = rebuild(lake, "*", settings=settings)
    assert list(done.by_underlying) == list(NAMES)
    assert (done.sessions, done.rebuilt, done.failed) == (9, 9, {})
    assert done.contracts == sum(one.contracts for one in done.by_underlying.values())
    assert rebuild(lake, "*", settings=settings).rebuilt == 0
    said = done.assumed["Abt"]
    assert (said.values["dealer"], said.said_by["dealer"]) == ("all_long", "kind")
    assert (said.values["rate"], said.said_by["rate"]) == (0.03, "default")
    plain = done.assumed["ABT"]
    assert (plain.values["dealer"], plain.said_by["dealer"]) == ("naive", "command")
    frame = regimes(lake, "*", settings=settings)
    models = frame.groupby("underlying")["dealer_model"].unique().str[0].to_dict()
    assert models == {"ABT": "naive", "Abt": "all_long", "BRK/B": "naive"}
    with pytest.raises(DefinitionError, match="rebuilt by 2 definitions"):
        regimes(lake, "*")


def test_what_chains_were_written_with_is_told_as_it_is(folder: Path) -> None:
    """The chains have 100 and XNYS, whatever settings say once they are written."""
    settings = folder / "other.toml"
    settings.write_text('[default]\nmultiplier = 10\nsettlement = "AM"\ncurrency = "EUR"\n')
    said = rebuild(folder / "lake", "*", settings=settings).assumed["ABT"]
    found = {key: said.values[key] for key in ("multiplier", "settlement", "currency", "calendar")}
    assert found == {"multiplier": 100.0, "settlement": "PM", "currency": "USD", "calendar": "XNYS"}
    assert {said.said_by[key] for key in found} == {"lake"}


def test_a_calendar_that_chains_were_not_written_with_is_an_error(
    tmp_path: Path, make_chain: Any
) -> None:
    pq.write_table(make_chain([date(2026, 7, 1)]), tmp_path / "chain.parquet")
    lake, settings = tmp_path / "lake", tmp_path / "settings.toml"
    ingest([tmp_path / "chain.parquet"], vendor="canonical", underlying="SPX", lake=lake)
    settings.write_text('[default]\ncalendar = "XTKS"\n')
    with pytest.raises(GexlabError, match="'XTKS' contradicts the lake's sessions of SPX"):
        rebuild(lake, "*", settings=settings)


def test_positions_that_nobody_reads_are_an_error(folder: Path) -> None:
    lake, positions = folder / "lake", folder / "positions.csv"
    positions.touch()
    with pytest.raises(GexlabError, match="does not read them"):
        rebuild(lake, "ABT,Abt", positions=positions)
    settings = folder / "other.toml"
    settings.write_text('[underlyings.Abt]\npositions = "positions.csv"\n')
    done = rebuild(lake, "ABT,Abt", settings=settings)
    assert list(done.failed) == ["Abt"]
    settings.write_text('[default]\npositions = "positions.csv"\n')  # of those who are signed
    done = rebuild(lake, "ABT,Abt", settings=settings)
    assert (done.failed, "positions" in done.assumed["ABT"].values) == ({}, False)


@pytest.mark.parametrize("name", ["A*", "AB?", "[AB]*", "ABT,Abt"])
def test_settings_take_no_patterns(folder: Path, name: str) -> None:
    settings = folder / "other.toml"
    settings.write_text(f'[underlyings."{name}"]\nrate = 0.04\n')
    with pytest.raises(ConfigError, match="take no patterns"):
        rebuild(folder / "lake", "*", settings=settings)


def test_a_command_in_a_message_can_be_pasted_into_a_shell(tmp_path: Path, make_chain: Any) -> None:
    folder, name = tmp_path / "a lake", "A'B $x"
    lake = open_lake(folder, create=True)
    write_sessions(lake, name, make_chain([date(2026, 7, 1)]))
    with pytest.raises(NotRebuiltError) as said:
        regimes(lake, name)
    command = shlex.split(str(said.value).partition(": run ")[2])
    assert command == ["gexlab", "rebuild", "--lake", str(folder), "--underlying", name]
    rebuild(lake, name)
    write_sessions(lake, name, make_chain([date(2026, 7, 1)], open_interest=7.0))
    with pytest.raises(OutdatedRowsError) as refused:
        regimes(lake, name)
    assert shlex.split(str(refused.value).partition(": run ")[2]) == command


def test_a_name_that_the_lake_does_not_hold_is_not_one_to_rebuild(folder: Path) -> None:
    with pytest.raises(UnknownNameError, match="'abT': did you mean 'ABT'"):
        regimes(folder / "lake", "abT")


def test_rows_of_chains_that_are_all_gone_are_refused(tmp_path: Path, make_chain: Any) -> None:
    """A file that came with two names comes again with one of them."""
    chain, lake = make_chain([date(2026, 7, 1)]), tmp_path / "lake"
    place = chain.column_names.index("underlying")
    named = {
        name: chain.set_column(place, chain.schema.field(place), pa.array([name] * len(chain)))
        for name in ("A", "B")
    }
    for names in (["A", "B"], ["A"]):
        pq.write_table(pa.concat_tables([named[n] for n in names]), tmp_path / "chain.parquet")
        ingest([tmp_path / "chain.parquet"], vendor="canonical", underlying="*", lake=lake)
        rebuild(lake, "*")
    assert len(regimes(lake, "*")) == len(regimes(lake, "A")) == 2
    with pytest.raises(OutdatedRowsError, match="all rows of B are of chains that the lake no"):
        regimes(lake, "B")


def test_all_together_give_what_each_gives_alone(folder: Path) -> None:
    lake = folder / "lake"
    rebuild(lake, "ABT,BRK/B")
    frame = regimes(lake, "*")
    assert frame.attrs["not_rebuilt"] == ["Abt"]
    alone = pd.concat([regimes(lake, name) for name in ("ABT", "BRK/B")], ignore_index=True)
    pd.testing.assert_frame_equal(frame, alone)
    assert np.isfinite(frame["net_gex"]).all()


@pytest.mark.parametrize(
    ("most", "commits"), [(10**6, ["ABT,Abt,BRK/B"]), (4, ["ABT,Abt", "BRK/B"])]
)
def test_many_names_are_one_version_of_bounded_size(
    folder: Path, monkeypatch: pytest.MonkeyPatch, most: int, commits: list[str]
) -> None:
    """Three names of three sessions; with four as the most, the second name is the last of one."""
    lake = folder / "lake"
    before = len(versions(lake))
    monkeypatch.setattr(many, "MOST_HELD", (most, 10**6, 10**9))
    assert rebuild(lake, "*").rebuilt == 9
    made = versions(lake)[before:]
    assert [version.underlying for version in made] == commits
    assert sum(version.sessions for version in made) == 9
    assert regimes(lake, "*").groupby("underlying")["session"].nunique().to_dict() == dict.fromkeys(
        NAMES, 3
    )
    assert not verify(lake).damaged


def test_a_commit_that_fails_or_is_killed_leaves_the_version_before(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full, then the process ends, when all is computed and the last file is due."""
    lake = folder / "lake"
    rebuild(lake, "ABT")
    before, rows = len(versions(lake)), regimes(lake, "*")

    for failure in (OSError(28, "No space left"), KeyboardInterrupt()):
        with monkeypatch.context() as patched:
            failing = Mock(side_effect=failure)
            patched.setattr("gexlab.data.lake.versions.put_new", failing)
            with pytest.raises((LakeError, KeyboardInterrupt)):
                rebuild(lake, "Abt,BRK/B")
        assert len(versions(lake)) == before
        pd.testing.assert_frame_equal(regimes(lake, "*"), rows)
    assert rebuild(lake, "*").rebuilt == 6
    assert len(versions(lake)) == before + 1
    assert not verify(lake).damaged


def test_what_fails_is_named_and_the_rest_is_done(folder: Path) -> None:
    (folder / "settings.toml").write_text('[underlyings.Abt]\ndealer = "nobody"\n')
    done = rebuild(folder / "lake", "*", settings=folder / "settings.toml")
    assert list(done.by_underlying) == ["ABT", "BRK/B"]
    assert "nobody" in done.failed["Abt"]


def test_check_and_verify_take_patterns(folder: Path) -> None:
    assert list(check(folder / "lake", "A*").sessions) == ["ABT", "Abt"]
    assert verify(folder / "lake", underlying="A*,BRK/B").sessions == 9
    with pytest.raises(GexlabError, match=r"fits 'Z\*'"):
        check(folder / "lake", "Z*")


@pytest.mark.slow
def test_workers_write_the_rows_of_one_process(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    (folder / "settings.toml").write_text('[underlyings.Abt]\ndealer = "nobody"\n')
    shutil.copytree(folder / "lake", tmp_path / "other")
    settings = folder / "settings.toml"
    alone = rebuild(folder / "lake", "*", settings=settings)
    seen: list[str] = []

    def progress(done: int, total: int | None, what: str = "") -> None:
        seen.append(what)

    spread = rebuild(
        tmp_path / "other", "*", settings=settings, workers=Workers(2), progress=progress
    )  # fmt: skip
    assert list(spread.by_underlying) == list(alone.by_underlying) == ["ABT", "BRK/B"]
    assert spread.failed == alone.failed
    assert set(seen[1:]) == set(NAMES)
    pd.testing.assert_frame_equal(
        regimes(tmp_path / "other", "*"), regimes(folder / "lake", "*"), check_exact=True
    )
    again = rebuild(tmp_path / "other", "ABT,BRK/B", workers=Workers(2))
    assert again.rebuilt == 0


def test_a_worker_elsewhere_that_reads_another_lake_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine where the same path is another folder: rows would lack here, unsaid."""

    def other_lake(self: Crew, function: Any, groups: Any, **_: Any) -> Any:
        for group in groups:
            yield [(found, f"{mark} of another") for found, mark in function(group)]

    monkeypatch.setattr(Crew, "spread", other_lake)
    with pytest.raises(LakeError, match="is another lake, or chains of ABT were written"):
        rebuild(folder / "lake", "*", workers=Workers(2))


def test_underlyings_that_workers_get_together_are_those_of_one_process(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of three cannot be read, and the third is computed by new readers."""
    shutil.copytree(folder / "lake", tmp_path / "alone")
    for lake in (folder / "lake", tmp_path / "alone"):
        broken = open_lake(lake).manifest("Abt").sessions[1].file
        broken.write_bytes(b"PAR1" + bytes(64) + b"PAR1")
    alone = rebuild(tmp_path / "alone", "*")
    given: list[int] = []

    def here(self: Crew, function: Any, groups: Any, **_: Any) -> Any:
        given.extend(len(group.pieces) for group in groups)
        return map(function, groups)

    monkeypatch.setattr(Crew, "spread", here)
    monkeypatch.setattr(many_pieces, "_PIECES", 1)
    monkeypatch.setattr(Crew, "size", lambda *_: 1)
    together = rebuild(folder / "lake", "*", workers=Workers(scheduler="tcp://nowhere:1"))
    assert given == [3]
    assert list(together.failed) == list(alone.failed) == ["Abt"]
    assert list(together.by_underlying) == ["ABT", "BRK/B"]
    pd.testing.assert_frame_equal(
        regimes(folder / "lake", "*"), regimes(tmp_path / "alone", "*"), check_exact=True
    )


def test_one_that_fails_midway_leaves_the_others_what_they_are_alone(
    folder: Path, tmp_path: Path
) -> None:
    """The second of three has a chain that cannot be read; threads and connection are shared."""
    lake, apart = folder / "lake", tmp_path / "apart"
    shutil.copytree(lake, apart)
    broken = open_lake(lake).manifest("Abt").sessions[1].file
    broken.write_bytes(b"PAR1" + bytes(64) + b"PAR1")
    done = rebuild(lake, "*")
    assert (list(done.by_underlying), list(done.failed)) == (["ABT", "BRK/B"], ["Abt"])
    for name in ("ABT", "BRK/B"):
        rebuild(apart, name)
        pd.testing.assert_frame_equal(regimes(lake, name), regimes(apart, name))
