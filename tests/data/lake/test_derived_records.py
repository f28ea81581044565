"""Records of rebuilt rows that are damaged or gone: what others gave stays, the rest comes back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from plain_chains import Contract, plain_chain, rebuilt

from gexlab.data import Definition, regimes, verify
from gexlab.data.base.errors import LakeError, MissingPartError
from gexlab.data.lake.derived_tables import TABLES
from gexlab.data.lake.housekeeping import compact
from gexlab.data.lake.versions import newest, table_files
from gexlab.data.regimes.rebuild import rebuild
from gexlab.data.regimes.rebuilt_rows import rebuilt_rows
from gexlab.data.regimes.spec import RegimeSpec

OTHER = Definition(rate=0.04)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records") / "lake"
    chain = plain_chain(*(Contract(right, k) for k in (3900.0, 4000.0, 4100.0) for right in "CP"))
    rebuilt(folder, chain)
    rebuild(folder, "SPX", definition=OTHER)
    return folder


@pytest.fixture(params=["apart", "joined"])
def lake(made: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    shutil.copytree(made, tmp_path / "lake")
    if request.param == "joined":  # rows of both definitions in one file
        compact(tmp_path / "lake")
    return tmp_path / "lake"


def record(lake: Path, definition: Definition) -> Path:
    files = table_files(lake, newest(lake), "rebuilds").values()
    [found] = [f.path for f in files if f"/{definition.definition_id}-" in f.path]
    return lake / "rebuilds" / found


def rows(lake: Path, definition: Definition) -> pd.DataFrame:
    return regimes(lake, "SPX", definition_id=definition.definition_id)


def logged(lake: Path) -> dict[str, int]:
    """Return how many rows each table's log names, as any reader of Delta tables sees them."""
    version = newest(lake)
    return {t: sum(f.rows for f in table_files(lake, version, t).values()) for t in TABLES}


def test_a_damaged_record_takes_no_other_definition_with_it(lake: Path) -> None:
    before = rows(lake, Definition())
    path = record(lake, OTHER)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    pd.testing.assert_frame_equal(rows(lake, Definition()), before)
    with pytest.raises(LakeError, match="delete it and run gexlab rebuild again"):
        rows(lake, OTHER)
    with pytest.raises(LakeError, match="delete it and run gexlab rebuild again"):
        rebuild(lake, "SPX", definition=OTHER)
    with pytest.raises(LakeError, match="can be read by --definition"):
        regimes(lake, "SPX")  # which ones there are cannot be told


@pytest.mark.parametrize("lost", [[OTHER], [OTHER, Definition()]])
def test_what_a_lost_record_named_is_computed_anew(lake: Path, lost: list[Definition]) -> None:
    before, count = {d: rows(lake, d) for d in (Definition(), OTHER)}, logged(lake)
    for definition in lost:
        record(lake, definition).unlink()
    for definition in lost:
        assert rebuild(lake, "SPX", definition=definition).rebuilt == 1
    for definition, found in before.items():
        pd.testing.assert_frame_equal(rows(lake, definition), found)
    assert all("only earlier versions need it" in damage.what for damage in verify(lake).damaged)
    shared = any(lake.glob("regimes/*/*/joint-*"))
    if not shared or len(lost) == 2:  # else another definition's rows lie in the same file
        assert logged(lake) == count


def test_rows_in_a_damaged_file_are_said_to_be_that(made: Path, tmp_path: Path) -> None:
    """To run the same command again, as after a rebuild by others, would fail for ever."""
    lake = shutil.copytree(made, tmp_path / "lake")
    rows = rebuilt_rows(lake, RegimeSpec("SPX", Definition()))
    [path] = lake.glob(f"regimes/*/*/{Definition().definition_id}-*")
    whole = path.read_bytes()
    path.write_bytes(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:])
    with pytest.raises(MissingPartError, match="delete it and run gexlab rebuild again"):
        rows.table("regimes", "as_of_close")
    path.unlink()
    assert len(rows.table("regimes", "as_of_close")) == 1
