"""Files of many underlyings: one reading, each name apart. Expected values are by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_markets import MANY_NAMES_MAP as MAP

from gexlab.data import (
    GexlabError,
    IngestResult,
    ingest,
    load_underlying_settings,
    open_lake,
    verify,
    versions,
)

HEADER = "date,name,expiry,strike,cp,oi,iv,spot"
DAYS = ("2022-12-12", "2022-12-13", "2022-12-14")
#: Names that some file system or shell takes for another, or for a path.
NAMES = ("ABT", "Abt", "abt", "BRK/B", "BRK.B", "BRK B", "^SPX", "SPX", "GC=F", "CON", "x.")


def row(day: str, name: str, strike: float, *, oi: int = 10, spot: str = "100") -> str:
    return f"{day},{name},2023-01-20,{strike},C,{oi},0.2,{spot}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "map.toml").write_text(MAP)
    return tmp_path


def put(folder: Path, rows: list[str], name: str = "chain.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def read(folder: Path, *paths: Path, **options: Any) -> IngestResult:
    given: dict[str, Any] = {
        "underlying": "*",
        "lake": folder / "lake",
        "mapping": folder / "map.toml",
    }
    return ingest(paths, vendor="columns", **(given | options))


def held(folder: Path, lake: str = "lake") -> dict[tuple[str, str], str]:
    opened = open_lake(folder / lake)
    return {
        (name, str(entry.session)): entry.fingerprint
        for name in opened.underlyings()
        for entry in opened.sessions(name)
    }


def spots(folder: Path, name: str) -> list[float]:
    opened = open_lake(folder / "lake")
    tables = [pq.read_table(f, columns=["underlying", "spot"]) for f in opened.chain_files(name)]
    rows = pa.concat_tables(tables)
    assert set(rows.column("underlying").to_pylist()) == {name}
    return sorted(rows.column("spot").to_pylist())


def test_names_alike_are_kept_apart(folder: Path) -> None:
    lines = [row(d, n, 90, spot=str(10 + i)) for d in DAYS for i, n in enumerate(NAMES)]
    result = read(folder, put(folder, lines))
    assert sorted(result.by_underlying) == sorted(NAMES)
    assert (result.rows_read, result.rows_written, result.sessions) == (33, 33, 33)
    assert result.without == ()
    for i, name in enumerate(NAMES):
        assert spots(folder, name) == [10 + i] * 3
    folders = [path.name for path in (folder / "lake" / "chains").iterdir()]
    said = [f for f in folders if f.startswith("underlying=")]
    assert len({f.upper() for f in said}) == len(NAMES)
    assert all(f.isascii() and not set(f) & set('/\\ :*?"<>|') and f[-1] != "." for f in said)


def test_order_and_format_of_the_file_do_not_matter(folder: Path) -> None:
    by_name = [row(d, n, k) for n in ("A", "B", "C") for d in DAYS for k in (90, 110)]
    by_day = [row(d, n, k) for d in DAYS for k in (90, 110) for n in ("C", "A", "B")]
    backwards = list(reversed(by_name))
    found = []
    for number, lines in enumerate((by_name, by_day, backwards)):
        read(folder, put(folder, lines, f"{number}.csv"), lake=folder / f"lake{number}")
        found.append(held(folder, f"lake{number}"))
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 9
    for name in "ABC":
        read(folder, put(folder, by_day), underlying=name, lake=folder / name)
        assert held(folder, name) == {k: v for k, v in found[0].items() if k[0] == name}


def test_lists_and_patterns(folder: Path) -> None:
    lines = [row(DAYS[0], n, 90) for n in ("ABT", "AMD", "MU", "SMH")]
    path = put(folder, lines)
    result = read(folder, path, underlying="A*,MU")
    assert list(result.by_underlying) == ["ABT", "AMD", "MU"]
    assert (result.rows_of_others, result.others) == (1, {"SMH": 1})
    assert result.unusable == []
    with pytest.raises(GexlabError, match=r"holds no underlying that fits 'Z\*'.*ABT, AMD, MU"):
        read(folder, path, underlying="Z*")
    with pytest.raises(GexlabError, match="hold no rows of TSLA: they hold ABT, AMD"):
        read(folder, path, underlying="MU,TSLA")


def test_what_is_held_is_not_read_again_and_the_rest_is(folder: Path) -> None:
    path = put(folder, [row(d, n, 90) for d in DAYS for n in ("A", "B")])
    read(folder, path, underlying="A,A")
    result = read(folder, path)
    assert (result.rows_read, result.by_underlying["A"].rows_read) == (3, 0)
    again = read(folder, path)
    assert (again.rows_read, again.files, again.files_unchanged) == (0, 0, 1)


def test_a_name_that_a_changed_file_lacks_leaves_the_lake(folder: Path) -> None:
    put(folder, [row(d, n, 90) for d in DAYS for n in ("A", "B")])
    read(folder, folder / "chain.csv")
    read(folder, put(folder, [row(d, "B", 95) for d in DAYS]))
    assert {name for name, _ in held(folder)} == {"B"}


def test_a_name_that_cannot_be_one_is_left_out_and_counted(folder: Path) -> None:
    lines = [row(DAYS[0], "A", 90), row(DAYS[0], "A" * 40, 90), row(DAYS[0], "X*", 90)]
    result = read(folder, put(folder, lines))
    assert list(result.by_underlying) == ["A"]
    assert result.others == {"A" * 40: 1, "X*": 1}
    assert sorted(result.unusable) == ["A" * 40, "X*"]


def test_rejects_are_counted_by_name(folder: Path) -> None:
    lines = [row(d, "A", 90) for d in DAYS] + [row(d, "B", 90, spot="") for d in DAYS[:2]]
    result = read(folder, put(folder, [*lines, row(DAYS[2], "B", 90)]))
    assert result.by_underlying["A"].rejects == {}
    assert result.by_underlying["B"].rejects == {"spot_missing": 2}
    assert (result.rows_read, result.rows_written, result.rows_rejected) == (6, 4, 2)


def test_a_refused_cell_writes_nothing(folder: Path) -> None:
    lines = [row(d, n, 90) for n in ("A", "B") for d in DAYS]
    with pytest.raises(GexlabError, match="column for open_interest holds 'many'"):
        read(folder, put(folder, [*lines, f"{DAYS[0]},C,2023-01-20,90,C,many,0.2,100"]))
    assert not (folder / "lake").exists()


def test_files_that_name_no_underlying_are_refused(folder: Path) -> None:
    (folder / "map.toml").write_text(MAP.replace('underlying = "name"\n', ""))
    with pytest.raises(GexlabError, match="do not name the underlying of their rows"):
        read(folder, put(folder, [row(DAYS[0], "A", 90)]))


def test_one_name_takes_no_row_of_a_name_that_differs_in_case(folder: Path) -> None:
    path = put(folder, [row(d, n, 90) for d in DAYS for n in ("ABT", "Abt")])
    result = read(folder, path, underlying="Abt")
    assert (result.rows_read, result.others) == (3, {"ABT": 3})
    only = put(folder, [row(DAYS[0], "spx", 90)], "only.csv")
    assert read(folder, only, underlying="SPX").rows_read == 1


SETTINGS = """
[default]
multiplier = 100
dealer = "naive"

[kinds.share]
dealer = "all_long"
dividend_yield = 0.01

[underlyings.A]
instrument = "share"
multiplier = 10

[underlyings."BRK/B"]
instrument = "etf"
rate = 0.04
"""


def test_what_is_assumed_of_whom(folder: Path) -> None:
    (folder / "settings.toml").write_text(SETTINGS)
    path = put(folder, [row(d, n, 90) for d in DAYS for n in ("A", "BRK/B", "C")])
    result = read(folder, path, settings=folder / "settings.toml")
    said = {name: (one.values, one.said_by) for name, one in result.assumed.items()}
    assert said["A"] == (
        {"instrument": "share", "multiplier": 10.0, "dealer": "all_long", "dividend_yield": 0.01},
        {"instrument": "own", "multiplier": "own", "dealer": "kind", "dividend_yield": "kind"},
    )
    assert said["C"] == (
        {"multiplier": 100.0, "dealer": "naive"},
        {"multiplier": "default", "dealer": "default"},
    )
    lake = open_lake(folder / "lake")
    assert [lake.manifest(n).instrument for n in ("A", "BRK/B", "C")] == ["share", "etf", None]
    sizes = [lake.sessions(n)[0].facts.multiplier for n in ("A", "BRK/B", "C")]
    assert sizes == [10.0, 100.0, 100.0]
    assert read(folder, path, settings=folder / "settings.toml").rows_read == 0
    assert result.settings_unused == ()
    only = read(folder, path, settings=folder / "settings.toml", underlying="A,C")
    assert only.settings_unused == ("BRK/B",)


def test_a_table_says_the_same_as_toml(folder: Path) -> None:
    rows = {"underlying": ["*", "A"], "rate": [0.03, 0.04], "dealer": ["naive", None]}
    pq.write_table(pa.table(rows), folder / "s.parquet")
    (folder / "s.csv").write_text("underlying,rate,dealer\n*,0.03,naive\nA,0.04,\n")
    (folder / "s.toml").write_text('[default]\nrate = 0.03\ndealer = "naive"\n'
                                   "[underlyings.A]\nrate = 0.04\n")  # fmt: skip
    found = [load_underlying_settings(folder / f"s.{x}") for x in ("toml", "parquet", "csv")]
    assert found[0] == found[1] == found[2]
    assert found[0].of("A").values == {"rate": 0.04, "dealer": "naive"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[default]\nmultiplyer = 100", "multiplier"),
        ("[kinds.stock]\nrate = 0.1", "share"),
        ("[defaults]\nrate = 0.1", "default"),
        ("[default]\nrate = true", "must be a number"),
        ("[default]\nmultiplier = 0", "must be a positive number"),
        ('[underlyings.A]\ninstrument = "shares"', "share"),
        ("underlyings = 3", "must hold tables"),
    ],
)
def test_wrong_settings_are_refused(folder: Path, text: str, message: str) -> None:
    (folder / "s.toml").write_text(text)
    with pytest.raises(GexlabError, match=message):
        load_underlying_settings(folder / "s.toml")


def test_all_names_of_an_ingest_are_one_version(folder: Path) -> None:
    first = put(folder, [row("2024-01-03", name, 90) for name in ("AAA", "BBB", "CCC")])
    read(folder, first)
    (version,) = versions(folder / "lake")
    assert (version.operation, version.underlying, version.sessions) == ("ingest", "AAA,BBB,CCC", 3)
    more = put(folder, [row("2024-01-04", name, 90) for name in ("AAA", "CCC")], "more.csv")
    read(folder, more)
    assert [v.underlying for v in versions(folder / "lake")] == ["AAA,BBB,CCC", "AAA,CCC"]
    read(folder, first, more)
    assert len(versions(folder / "lake")) == 2
    assert not verify(folder / "lake").damaged
