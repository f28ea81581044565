"""What all vendors have in common: names that look like code, archives, foreign files."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest
from arrivals import arrived

from gexlab.data.base.errors import GexlabError
from gexlab.data.ingest.ingest import ingest
from gexlab.data.vendors import VENDORS

ORATS = (
    "ticker,tradeDate,expirDate,strike,spotPrice,cOi,pOi,cBidPx,cAskPx,pBidPx,pAskPx,cMidIv,pMidIv,"
    "delta\nSPX,2023-11-27,2023-12-15,4550,4550.4,1,2,60,61,48,49,0.1,0.1,0.5\n"
)


@pytest.mark.parametrize(
    "name",
    [
        "quotedata (1).csv",
        "a[1].csv",
        "a*b?.csv",
        "a{b,c}.csv",
        "it's; DROP TABLE x --.csv",
        'q"uote.csv',
        "$HOME`id`%TEMP%.csv",
        "=cmd|x.csv",
        "-rf.csv",
        "new\nline.csv",
        "X.CSV",
    ],
)
def test_a_file_name_is_only_a_name(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text(ORATS)
    assert arrived(tmp_path / "lake", "orats", "SPX", file).result.rows_written == 2


def test_archives(tmp_path: Path) -> None:
    zipped, packed = tmp_path / "a.zip", tmp_path / "a.csv.gz"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("2023/strikes[1].csv", ORATS)
        archive.writestr("__MACOSX/2023/._strikes[1].csv", "junk")
        archive.writestr(".DS_Store.csv", "junk")
    packed.write_bytes(gzip.compress(ORATS.encode()))
    assert arrived(tmp_path / "z", "orats", "SPX", zipped).result.rows_written == 2
    assert arrived(tmp_path / "g", "orats", "SPX", packed).result.rows_written == 2


@pytest.mark.parametrize("vendor", [v for v in VENDORS if v != "columns"])
@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n",
        "=1+1,+cmd|' /C calc'!A0\n@SUM(1),-1\n",
        "\x00\x01\x02",
    ],
    ids=["other table", "formulas", "bytes"],
)
def test_foreign_files_are_refused_in_one_line(tmp_path: Path, vendor: str, text: str) -> None:
    for suffix in (".json",) if vendor == "cboe_delayed_json" else (".csv",):
        file = tmp_path / f"foreign{suffix}"
        file.write_text(text)
        with pytest.raises(GexlabError) as caught:
            ingest([file], vendor=vendor, underlying="SPX", lake=tmp_path / "lake")
        assert "\n" not in str(caught.value)
        assert "foreign" in str(caught.value)
        assert len(str(caught.value)) < 1200
    assert not (tmp_path / "lake").exists()


def test_cells_that_look_like_formulas_are_text_or_refused(tmp_path: Path) -> None:
    file = tmp_path / "strikes.csv"
    file.write_text(ORATS.replace(",60,", ",=1+1,"))
    with pytest.raises(GexlabError, match=r"'=1\+1' where a number"):
        ingest([file], vendor="orats", underlying="SPX", lake=tmp_path / "lake")
    file.write_text(ORATS.replace("SPX,", '"=HYPERLINK(""x"")",'))
    with pytest.raises(GexlabError, match="SPX"):
        ingest([file], vendor="orats", underlying="SPX", lake=tmp_path / "lake")
