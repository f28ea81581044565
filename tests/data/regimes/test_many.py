"""Rebuilds and tables of many underlyings against one at a time."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gexlab.data import (
    DefinitionError,
    GexlabError,
    check,
    open_lake,
    rebuild,
    regimes,
    verify,
    write_sessions,
)

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


def test_all_together_give_what_each_gives_alone(folder: Path) -> None:
    lake = folder / "lake"
    rebuild(lake, "ABT,BRK/B")
    frame = regimes(lake, "*")
    assert frame.attrs["not_rebuilt"] == ["Abt"]
    alone = pd.concat([regimes(lake, name) for name in ("ABT", "BRK/B")], ignore_index=True)
    pd.testing.assert_frame_equal(frame, alone)
    assert np.isfinite(frame["net_gex"]).all()


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
