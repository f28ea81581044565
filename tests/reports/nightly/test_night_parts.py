"""Parts of a night by hand: how old data are, the frozen record, the line for a mail, orders."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gexlab.backtest.run.targets import Target, TargetInput
from gexlab.data import trading_calendar
from gexlab.reports.nightly import live_record
from gexlab.reports.nightly.freshness import (
    clock_alert,
    is_late,
    sessions_behind,
    stale_alert,
)
from gexlab.reports.nightly.live_record import (
    Entry,
    Forecast,
    Record,
    Score,
    appended,
    forecast_digest,
    read_record,
    scores_of,
)
from gexlab.reports.nightly.summary import facts_of_night, markdown_of, one_line
from gexlab.reports.nightly.target_files import write_targets
from gexlab.reports.page.sections.live import live_section
from gexlab.reports.session.morning import Morning

THURSDAY = date(2026, 7, 2)  # before Independence Day, kept on Friday the third


@pytest.mark.parametrize(
    ("now", "behind"),
    [
        ("2026-07-02T21:00+00:00", 0),
        ("2026-07-06T13:00+00:00", 0),  # Monday before the open
        ("2026-07-06T19:59+00:00", 0),
        ("2026-07-06T20:00+00:00", 1),
        ("2026-07-07T22:00+00:00", 2),
        ("2026-07-01T12:00+00:00", 0),
    ],
)
def test_sessions_that_closed_without_a_chain(now: str, behind: int) -> None:
    calendar = trading_calendar("XNYS")
    assert sessions_behind(calendar, THURSDAY, datetime.fromisoformat(now)) == behind


def test_more_than_one_session_is_stale() -> None:
    assert stale_alert(THURSDAY, 1, 1) == ""
    assert stale_alert(THURSDAY, 2, 1) == stale_alert(THURSDAY, 9, 1) != ""
    assert stale_alert(THURSDAY, 1, 0).startswith("STALE: no chain since 2026-07-02")


def test_a_clock_before_the_data() -> None:
    known = datetime(2026, 7, 2, 20, 15, tzinfo=UTC)
    assert clock_alert(THURSDAY, known, known) == ""
    assert "CLOCK" in clock_alert(THURSDAY, known, datetime(2026, 7, 1, 20, 15, tzinfo=UTC))


def _target(fill: str, value: float | None) -> Forecast:
    return Forecast("target", "s", value, fill, "", "")


def _entry(number: int, session: str, *forecasts: Forecast) -> Entry:
    return Entry(number, session, f"c{number}", "d", forecasts, (), "")


BARS = pd.DataFrame(
    {
        "open": [100.0, 101.0, 99.0, 98.0],
        "high": [102.0, 103.0, 100.0, 99.0],
        "low": [99.0, 100.0, 97.0, 97.0],
        "close": [101.0, 100.0, 98.0, 98.5],
    },
    index=pd.DatetimeIndex(["2026-07-01", "2026-07-02", "2026-07-06", "2026-07-07"]),
)
LABELS = pd.Series(["long", "short", "short", "long"], index=BARS.index)


def test_scores_by_hand() -> None:
    told = (
        Forecast("regime", "r", "short"),
        Forecast("volatility", "parkinson", 0.1),
        Forecast("direction", "s", -1.0, "next_open"),
        _target("next_open", -0.5),
        _target("next_close", None),
    )
    found = scores_of([_entry(1, "2026-07-01", *told)], LABELS, BARS, 252)
    regime, volatility, direction, target = found
    assert (regime.realised, regime.hit) == ("long", False)
    # ln(103/100)^2 / (4 ln 2) a session
    assert volatility.realised == pytest.approx(0.281802, abs=1e-6)
    # from the open of the second to that of the third of July's sessions: 99 / 101 - 1
    assert direction.realised == pytest.approx(-2.0 / 101.0)
    assert (direction.hit, direction.pnl) == (True, None)
    assert target.pnl == pytest.approx(1.0 / 101.0)


def test_what_is_not_over_has_no_score() -> None:
    last = [_entry(1, "2026-07-06", _target("next_open", 1.0), Forecast("volatility", "p", 0.1))]
    (only,) = scores_of(last, LABELS, BARS, 252)
    assert only.kind == "volatility"
    holes = BARS.copy()
    holes.iloc[2] = np.nan
    told = [_entry(1, "2026-07-01", _target("next_open", 1.0))]
    assert scores_of(told, LABELS, holes, 252) == []
    assert scores_of([_entry(1, "2026-07-02", _target("10:30", 1.0))], LABELS, BARS, 252) == []


def test_the_record_grows_and_nothing_in_it_changes(tmp_path: Path) -> None:
    def add(session: str, content: str, value: float, *scores: Score) -> bool:
        record = read_record(tmp_path)
        return appended(
            tmp_path, record, session, content, "d", [_target("next_open", value)], scores
        )

    assert add("2026-07-01", "a", 1.0)
    assert not add("2026-07-01", "a", 1.0)
    score = Score(1, "target", "s", 1.0, 0.01, hit=True, pnl=0.01)
    assert add("2026-07-02", "b", -1.0, score)
    assert not add("2026-07-02", "b", -1.0, score)
    before = {path: path.read_bytes() for path in (tmp_path / "record").glob("0*.json")}
    # data are revised: said and scored anew, beside what was said
    assert add("2026-07-01", "revised", -1.0)
    assert add("2026-07-02", "b", -1.0, replace(score, realised=-0.02, hit=False, pnl=-0.02))
    assert all(path.read_bytes() == kept for path, kept in before.items())
    record = read_record(tmp_path)
    assert [e.number for e in record.entries] == [1, 2, 3, 4]
    assert record.broken == ""
    (first,) = record.before("2026-07-02")
    assert first.forecasts[0].value == 1.0
    assert record.scores()[1, "target", "s"].pnl == -0.02


def test_a_record_that_was_changed_says_so(tmp_path: Path) -> None:
    record = Record()
    for day in ("2026-07-01", "2026-07-02", "2026-07-06"):
        assert appended(tmp_path, record, day, day, "d", [_target("next_open", 1.0)], [])
        record = read_record(tmp_path)
    first, second, third, last = sorted((tmp_path / "record").iterdir())
    whole = first.read_bytes()
    first.write_bytes(whole.replace(b"1.0", b"-1.0"))
    assert "000002" in read_record(tmp_path).broken
    first.write_bytes(whole)
    assert read_record(tmp_path).broken == ""
    kept = second.read_bytes()
    second.unlink()
    assert "000003" in read_record(tmp_path).broken
    second.write_bytes(kept[:-20])
    assert "000002" in read_record(tmp_path).broken
    second.write_bytes(kept)
    # nothing follows the last file: its digest lies beside it
    kept = third.read_bytes()
    third.write_bytes(kept.replace(b"1.0", b"9.0"))
    assert read_record(tmp_path).broken == "file 000003 is not what was written"
    third.unlink()
    assert read_record(tmp_path).broken == "file 000003 is gone"
    third.write_bytes(kept)
    last.write_bytes(b"{}")
    assert read_record(tmp_path).broken == "last.json cannot be read"
    last.unlink()
    assert read_record(tmp_path).broken == "last.json is gone"
    second.unlink()
    third.unlink()  # one file alone: its night may have been killed before it wrote the other
    assert read_record(tmp_path).broken == ""


def test_nights_that_are_killed_before_they_note_their_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice in a row: the record stays whole, and what stands beside it may lag."""
    folder = tmp_path / "record"

    def add(day: str) -> None:
        record = read_record(tmp_path)
        appended(tmp_path, record, day, day, "d", [_target("next_open", 1.0)], [])

    add("2026-07-01")
    (folder / "last.json").unlink()  # as if killed just before
    noted: list[int] = []
    written = live_record._note_last

    def killed(out: Path, number: int, digest: str) -> None:
        if number == 2:
            raise KeyboardInterrupt
        noted.append(number)
        written(out, number, digest)

    with monkeypatch.context() as patched:
        patched.setattr(live_record, "_note_last", killed)
        with pytest.raises(KeyboardInterrupt):
            add("2026-07-02")
    assert noted == [1]
    assert sorted(p.name[:6] for p in folder.iterdir()) == ["000001", "000002", "last.j"]
    assert read_record(tmp_path).broken == ""
    add("2026-07-06")
    assert json.loads((folder / "last.json").read_text())["number"] == 3


def test_a_file_that_cannot_be_read_is_never_written_over(tmp_path: Path) -> None:
    """Nor does the next night heal what was broken."""
    record = Record()
    for day in ("2026-07-01", "2026-07-02"):
        appended(tmp_path, record, day, day, "d", [_target("next_open", 1.0)], [])
        record = read_record(tmp_path)
    second = tmp_path / "record" / "000002-2026-07-02.json"
    second.write_bytes(b"damaged")
    for day in ("2026-07-02", "2026-07-06"):
        record = read_record(tmp_path)
        assert record.broken == "000002-2026-07-02.json cannot be read"
        assert appended(tmp_path, record, day, "again", "d", [_target("next_open", -1.0)], [])
    assert second.read_bytes() == b"damaged"
    names = [path.name[:6] for path in sorted((tmp_path / "record").glob("0*.json"))]
    assert names == ["000001", "000002", "000003", "000004"]
    assert read_record(tmp_path).broken == "000002-2026-07-02.json cannot be read"


@pytest.mark.parametrize(
    ("known", "now", "late"),
    [
        ("2026-07-02T20:00", "2026-07-06T13:30", False),  # Monday's open
        ("2026-07-02T20:00", "2026-07-06T13:31", True),
        ("2026-07-06T13:30", "2026-07-06T14:30", False),  # public at the open: an hour is left
        ("2026-07-06T13:30", "2026-07-06T14:31", True),
        ("2026-07-02T20:00", "2027-07-02T20:00", True),
    ],
)
def test_a_night_forecasts_nothing_that_has_begun(known: str, now: str, late: bool) -> None:
    public, when = (datetime.fromisoformat(x).replace(tzinfo=UTC) for x in (known, now))
    assert is_late(trading_calendar("XNYS"), THURSDAY, public, when) is late


def test_nights_out_of_order_are_late(tmp_path: Path) -> None:
    """A night of Wednesday after that of Thursday may know more than it says."""
    for day in ("2026-07-02", "2026-07-01", "2026-07-06"):
        record = read_record(tmp_path)
        appended(tmp_path, record, day, day, "d", [_target("next_open", 1.0)], [])
    record = read_record(tmp_path)
    assert [(e.session, e.late) for e in record.entries] == [
        ("2026-07-02", False), ("2026-07-01", True), ("2026-07-06", False),
    ]  # fmt: skip
    timely = replace(record.entries[1], late=False)
    assert forecast_digest([timely]) != forecast_digest([record.entries[1]])


def test_late_nights_are_told_and_not_counted(morning: Morning) -> None:
    told = [_target("next_open", 1.0)]
    entries = [replace(_entry(n, f"2026-07-0{n}", *told), late=n == 1) for n in (1, 2)]
    scores = [Score(n, "target", "s", 1.0, 0.01 * n, hit=True, pnl=0.01 * n) for n in (1, 2)]
    section = live_section(morning.result, entries, scores)
    assert section is not None
    assert section.text[0].startswith("1 night from 2026-07-02 to 2026-07-02")
    assert section.text[1].startswith("1 night not counted: begun after the next session")
    (row,) = section.tables[0].rows
    assert (row.cells[0], row.cells[1], row.cells[3], row.cells[7]) == ("s", "1", "1", "+2.00 %")
    only_late = live_section(morning.result, entries[:1], scores)
    assert only_late is not None
    assert (len(only_late.text), only_late.tables) == (1, ())


HOSTILE = '=1+1</script><b>[red]\u202e\x1b[31m,"'


def test_hostile_names_are_text_in_orders_and_line(morning: Morning, tmp_path: Path) -> None:
    moment = datetime(2026, 1, 2, 14, 30, tzinfo=UTC)
    inputs = (TargetInput(HOSTILE, float("nan"), None), TargetInput("close", 5900.5, moment))
    target = Target(
        HOSTILE, "main", date(2026, 1, 1), "abstain", float("nan"), 1.0, "next_open", moment,
        moment, HOSTILE, inputs,
    )  # fmt: skip
    write_targets([target], "c" * 64, HOSTILE, tmp_path)
    document = json.loads((tmp_path / "targets.json").read_text(encoding="utf-8"))
    (told,) = document["targets"]
    assert (told["strategy"], told["target"], told["inputs"][0]["value"]) == (HOSTILE, None, None)
    with (tmp_path / "targets.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert all(row[name] == f"'{HOSTILE}" for name in ("strategy", "underlying", "abstains"))
    assert row["target"] == ""
    facts = facts_of_night(morning) | {"underlying": HOSTILE}
    line = one_line(facts, [f"PUT ASIDE: {HOSTILE}\n"], 3, 1)
    assert not set(line) & set("\n\x1b\u202e")
    chat = markdown_of(facts, [HOSTILE], [target])
    assert "\x1b" not in chat
    assert "\u202e" not in chat
    # every sign that Markdown or HTML would act on stands behind a backslash
    assert not re.search(r"(?<!\\)[<\[]", chat.replace("> **", ""))
    rows = [row for row in chat.splitlines() if row.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}


def test_the_line_for_a_mail(morning: Morning) -> None:
    line = one_line(facts_of_night(morning), (), 12, 0)
    assert line.startswith(
        "SPX 2025-12-31: long gamma; spot 5,900.0, flip 5,755.0 (2.5 % below); put wall 5,800.0, "
        "call wall 6,000.0; net GEX "
    )
    assert line.endswith("; 12 rows rejected")
    assert one_line(facts_of_night(morning), ["STALE: x"], 0, 2).startswith("STALE: x. SPX ")
