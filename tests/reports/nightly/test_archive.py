"""The archive of nights: what it lists, what it notices, what two nights differ in."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from gexlab.data import InputFileError, UnknownNameError
from gexlab.reports.cli import app as cli
from gexlab.reports.nightly.archive import damage_alerts, point_to, write_index
from gexlab.reports.nightly.nights import nights_of
from gexlab.reports.nightly.runs import runs
from gexlab.reports.nightly.standing import facts_digest
from gexlab.reports.nightly.stored import StoredNight, stored_place
from gexlab.reports.page.sections.nights import calendar_of, sparkline_of

HOSTILE = "</script><img src=x onerror=alert(1)>[red]\u202e"


def _night(out: Path, name: str, regime: str, **more: Any) -> Path:
    folder = out / name
    folder.mkdir(parents=True)
    told = {"gexlab": "0.1.0", "config_sha256": "aa", "versions": {"numpy": "2.4"}}
    inputs = [{"path": "bars.parquet", "sha256": more.pop("bars", "b1")}]
    (folder / "results.json").write_text(json.dumps({"provenance": told | {"inputs": inputs}}))
    (folder / "report.html").write_text(name)
    facts = {
        "underlying": "SPX",
        "session": name[:10],
        "regime": regime,
        "quality": "ok",
        "value": 4.1e9,
        "currency": "$",
        "spot": 6800.0,
        "flip": None,
        "flip_distance": None,
        "call_wall": 6900.0,
        "put_wall": 6700.0,
        "net_to_gross": 0.12,
        "definition_id": "d",
        "content_id": "c",
        "change": {"since": "x", "by": 1.0},
        "alerts": [],
        "forecasts": [],
    }
    files = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.iterdir()}
    note = {"facts": facts | more, "key": "k", "files": files}
    (folder / "nightly.json").write_text(json.dumps(note))
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    out = tmp_path / "nights"
    _night(out, "2026-07-01-aaaaaaaaaa", "long")
    _night(out, "2026-07-02-bbbbbbbbbb", "short", net_to_gross=-0.3, spot=6700.5, bars="b2")
    _night(out, "2026-06-30-cccccccccc", "abstain", net_to_gross=None, alerts=[HOSTILE])
    (out / "somebody-else").mkdir()
    (out / "not-ours").mkdir()
    (out / "not-ours" / "nightly.json").write_text("[]")
    return out


def test_nights_in_order(out: Path) -> None:
    found = nights_of(out)
    assert [n.session for n in found] == ["2026-07-02", "2026-07-01", "2026-06-30"]
    assert all(n.damaged == () for n in found)
    with pytest.raises(InputFileError, match="no such folder of nights"):
        nights_of(out / "nowhere")


def test_what_is_not_as_it_was_written(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (out / "2026-07-01-aaaaaaaaaa" / "report.html").write_text("something else")
    (out / "2026-07-02-bbbbbbbbbb" / "results.json").unlink()
    damaged = {n.session: n.damaged for n in nights_of(out)}
    assert damaged["2026-07-01"] == ("report.html",)
    assert damaged["2026-07-02"] == ("results.json",)
    assert cli.run(["runs", str(out)]) == 1
    assert "DAMAGED: report.html" in " ".join(capsys.readouterr().out.split())


def test_the_folder_of_nights_is_none_itself(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    point_to(out, out / "2026-07-02-bbbbbbbbbb")
    write_index(out)
    assert runs(tmp_path).folder == out  # the only one below
    assert len(runs(out).nights) == 3
    other = shutil.copytree(out, tmp_path / "other", symlinks=True)
    assert cli.run(["runs", str(tmp_path)]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert f"name the folder that has, one of {out}, {other}" in said


def test_what_a_note_says_is_what_was_written(out: Path) -> None:
    note = out / "2026-07-02-bbbbbbbbbb" / "nightly.json"
    told = json.loads(note.read_text())
    told["facts_sha256"] = facts_digest(told["facts"])
    note.write_text(json.dumps(told))
    assert runs(out).nights[0].damaged == ()
    told["facts"]["regime"] = "long"
    note.write_text(json.dumps(told))
    assert runs(out).nights[0].damaged == ("nightly.json",)


@pytest.mark.parametrize("how", ["facts", "files", "cut", "gone"])
def test_a_night_whose_note_is_lost_is_still_listed(out: Path, how: str) -> None:
    """As long as what it was made from is noted; of what it says nothing counts."""
    name = "2026-07-01-aaaaaaaaaa"
    path = out / name / "nightly.json"
    note = json.loads(path.read_text())
    note["facts_sha256"] = facts_digest(note["facts"])
    path.write_text(json.dumps(note))
    noted = {f.name: "" for f in fields(StoredNight)} | {
        "night": name, "session": name[:10], "key": "k", "created_at": "2026-07-01T22:00:00Z",
        "configuration": {"path": "c.toml", "sha256": "0" * 64}, "inputs": [], "alerts": [],
        "notices": [], "files": note["files"],
    }  # fmt: skip
    place = stored_place(out, name)
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps({**noted, "sha256": facts_digest(noted)}))
    whole = {n.name: n for n in nights_of(out, verified=False)}[name]
    assert (whole.regime, whole.damaged) == ("long", ())
    assert damage_alerts(nights_of(out, verified=False), Path("c.toml")) == ()
    other = json.loads((out / "2026-07-02-bbbbbbbbbb" / "nightly.json").read_text())
    if how == "facts":
        path.write_text(json.dumps({**note, "facts": other["facts"]}))
    elif how == "files":  # the note of another night, whole in itself
        path.write_text(json.dumps({**other, "facts_sha256": facts_digest(other["facts"])}))
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:-9])
    else:
        path.unlink()
    found = nights_of(out, verified=False)
    lost = {n.name: n for n in found}[name]
    assert (lost.session, lost.regime, lost.damaged) == (name[:10], "unknown", ("nightly.json",))
    assert lost.facts["spot"] is None
    (alert,) = damage_alerts(found, Path("c.toml"))
    assert f"nightly.json of {name} is not what was written" in alert
    write_index(out)
    assert "DAMAGED: nightly.json" in (out / "index.html").read_text(encoding="utf-8")
    assert [d.number for w in calendar_of(found)[0].weeks for d in w if d and d.letter] == [2]
    assert f"inputs/{'0' * 10} (c.toml)" in {n.name: n for n in runs(out).nights}[name].damaged


def test_what_two_nights_differ_in(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = runs(out, compare=("2026-07-01", "bbbbbbbbbb"))
    assert found.differences is not None
    said = {(d.kind, d.name): (d.first, d.second) for d in found.differences}
    assert said == {
        ("number", "session"): ("2026-07-01", "2026-07-02"),
        ("number", "regime"): ("long", "short"),
        ("number", "spot"): (6800.0, 6700.5),
        ("number", "net_to_gross"): (0.12, -0.3),
        ("input", "bars.parquet"): ("b1", "b2"),
    }
    same = runs(out, compare=("2026-07-01", "2026-07-01-aaaaaaaaaa"))
    assert same.differences == ()
    with pytest.raises(UnknownNameError, match="2026-07-09"):
        runs(out, compare=("2026-07-01", "2026-07-09"))
    assert cli.run(["runs", str(out), "--compare", "2026-07-01", "2026-07-02", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["differences"]) == 5


@pytest.mark.parametrize("width", ["80", "100", "200"])
def test_every_night_is_on_the_terminal(
    out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: str
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    assert cli.run(["runs", str(out)]) == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= int(width)
    for word in ("aaaaaaaaaa", "6,700.5", "2026-06-30", "[red]"):
        assert word in printed
    assert "\u2026" not in printed
    assert "\u202e" not in printed


def test_the_calendar_by_hand(out: Path) -> None:
    july, june = calendar_of(nights_of(out))
    assert (july.name, june.name) == ("2026-07", "2026-06")
    first = july.weeks[0]  # 1 July 2026 is a Wednesday
    assert [None if d is None else d.number for d in first] == [None, None, 1, 2, 3, 4, 5]
    assert [(d.letter, d.tone) for d in first[2:5] if d] == [
        ("L", "long"),
        ("S", "short"),
        ("", ""),
    ]
    assert first[3] is not None
    assert first[3].link == "2026-07-02-bbbbbbbbbb/report.html"
    assert [d.letter for d in june.weeks[-1] if d] == ["", "A"]


def test_the_line_by_hand(out: Path) -> None:
    line = sparkline_of(nights_of(out))
    assert line is not None
    # a box of 720 by 120, 4 of it left free above: the largest, 0.3, is at the lower end
    assert line["points"] == "0.0,37.6 720.0,116.0"
    assert line["said"].endswith("last \u22120.300, lowest \u22120.300, highest +0.120.")
    assert sparkline_of(nights_of(out)[-1:]) is None


def test_the_index_is_a_page_of_its_own(out: Path) -> None:
    assert write_index(out) is True
    assert write_index(out) is False
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "<img" not in page
    assert "\u202e" not in page
    links = re.findall(r'href="([^"]+)"', page)
    assert {"2026-07-01-aaaaaaaaaa/report.html", "2026-06-30-cccccccccc/report.html"} <= set(links)
    assert all(not re.match(r"[a-z]+:|/", link) for link in links if link != "data:,")
    data = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert json.loads(data[1])[0]["values"]["session"] == "2026-07-02"


def test_the_latest_changes_in_one_step(out: Path) -> None:
    first, second = out / "2026-07-01-aaaaaaaaaa", out / "2026-07-02-bbbbbbbbbb"
    assert point_to(out, first) is True
    assert point_to(out, first) is False
    assert (out / "report.html").read_text() == first.name
    assert point_to(out, second) is True
    assert (out / "report.html").read_text() == second.name
    assert os.readlink(out / "latest") == second.name
    (out / "report.html").unlink()
    (out / "report.html").write_text("of another run")
    assert point_to(out, second) is True
    assert (out / "report.html").read_text() == second.name


def test_where_there_are_no_links_files_are_copied(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refused)
    assert point_to(out, out / "2026-07-01-aaaaaaaaaa") is True
    assert (out / "report.html").read_text() == "2026-07-01-aaaaaaaaaa"
    assert point_to(out, out / "2026-07-01-aaaaaaaaaa") is False
