"""Several names of one underlying in the same files. Expected values are by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from small_markets import MANY_NAMES_MAP

from gexlab.data import (
    GexlabError,
    IngestResult,
    ingest,
    open_lake,
    rebuild,
    regimes,
)

HEADER = "date,name,expiry,strike,cp,oi,iv,spot"
#: The third Friday of January 2023: an AM and a PM series could share its strikes.
MONTHLY = "2023-01-20"
DAYS = ("2022-12-12", "2022-12-13", "2022-12-14")


def row(day: str, name: str, *, oi: int = 10, strike: int = 100) -> str:
    return f"{day},{name},{MONTHLY},{strike},C,{oi},0.2,100"


def read(folder: Path, *files: list[str], aliases: str = "", underlying: str = "*") -> IngestResult:
    (folder / "map.toml").write_text(MANY_NAMES_MAP + aliases)
    paths = [folder / f"{i}.csv" for i in range(len(files))]
    for path, rows in zip(paths, files, strict=True):
        path.write_text("\n".join([HEADER, *rows]) + "\n")
    return ingest(
        paths,
        vendor="columns",
        underlying=underlying,
        lake=folder / "lake",
        mapping=folder / "map.toml",
    )


META = '[aliases]\nMETA = ["FB"]\n'


@pytest.mark.parametrize("underlying", ["*", "META"])
def test_a_contract_under_two_names_is_refused(tmp_path: Path, underlying: str) -> None:
    rows = [row(DAYS[0], "FB")]
    rows += [row(d, n, oi=oi) for d in DAYS[1:] for n, oi in (("FB", 10), ("META", 12))]
    with pytest.raises(
        GexlabError, match=r"contracts of META under the names FB and META in 2"
    ) as e:
        read(tmp_path, rows, aliases=META, underlying=underlying)
    assert "the first 2022-12-13" in str(e.value)
    assert "Nothing was written" in str(e.value)
    assert not (tmp_path / "lake").exists()


def test_three_spellings_by_case(tmp_path: Path) -> None:
    rows = [row(DAYS[0], n, oi=i) for i, n in enumerate(("ABT", "Abt", "abt"))]
    with pytest.raises(GexlabError, match=r"names ABT and Abt and abt in 1 session \("):
        read(tmp_path, rows, aliases='[aliases]\nABT = ["Abt", "abt"]\n')


@pytest.mark.parametrize("underlying", ["*", "META"])
def test_names_of_different_sessions_make_one_history(tmp_path: Path, underlying: str) -> None:
    """A ticker changed: nothing is counted twice."""
    rows = [row(DAYS[0], "FB"), row(DAYS[1], "META"), row(DAYS[2], "META")]
    result = read(tmp_path, rows, aliases=META, underlying=underlying)
    assert (result.rows_written, result.sessions, result.rows_repeated) == (3, 3, 0)


@pytest.mark.parametrize("underlying", ["*", "META"])
def test_equal_rows_of_two_names_are_one(tmp_path: Path, underlying: str) -> None:
    rows = [row(d, n) for d in DAYS for n in ("FB", "META")]
    result = read(tmp_path, rows, aliases=META, underlying=underlying)
    assert (result.rows_read, result.rows_written, result.rows_repeated) == (6, 3, 3)


def test_other_contracts_of_the_same_session_enter(tmp_path: Path) -> None:
    rows = [row(DAYS[0], "FB", strike=90), row(DAYS[0], "META", strike=100)]
    assert read(tmp_path, rows, aliases=META).rows_written == 2


def test_of_two_files_the_later_one_counts(tmp_path: Path) -> None:
    """100 x 12 contracts x gamma x S^2 / 100 of the later file alone (decision 0011)."""
    both = [[row(DAYS[0], "FB")], [row(DAYS[0], "META", oi=12)]]
    result = read(tmp_path, *both, aliases=META)
    assert (result.rows_written, result.rows_replaced) == (2, 1)
    lake = open_lake(tmp_path / "lake")
    rebuild(lake, "META")
    [found] = regimes(lake, "META", book="as_of_close")["net_gex"]
    # at the money, no rate known: 39 days from close to close, d1 = sigma sqrt(T) / 2
    deviation = 0.2 * math.sqrt(39 / 365)
    gamma = math.exp(-((deviation / 2) ** 2) / 2) / math.sqrt(2 * math.pi) / (100 * deviation)
    assert found == pytest.approx(12 * 100 * gamma * 100**2 * 0.01, rel=1e-9)


def test_roots_of_their_own_are_two_series(tmp_path: Path) -> None:
    """SPX and SPXW of a third Friday: a morning and an evening series, no contract twice."""
    rows = [row(DAYS[0], "SPX"), row(DAYS[0], "SPXW", oi=12)]
    assert read(tmp_path, rows).rows_written == 2
    with pytest.raises(GexlabError, match=r"of SPX under the names SPX and SPXW and US500"):
        read(tmp_path, [*rows, row(DAYS[0], "US500", oi=7)], aliases='[aliases]\nSPX = ["US500"]\n')
