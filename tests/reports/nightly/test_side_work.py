"""Grid, tournament and tests of a night run when they are due, and fail for themselves."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from gexlab.backtest import parse_config
from gexlab.data import NotEnoughDataError, silent
from gexlab.reports.nightly import side_work as work
from gexlab.reports.nightly.run_log import RunLog

#: A Friday, the Monday after it twice (revised data), its Tuesday, and the week after a gap.
NIGHTS = (
    ("2025-12-26", "a"), ("2025-12-29", "b"), ("2025-12-29", "c"), ("2025-12-30", "c"),
    ("2026-01-02", "b"), ("2026-01-12", "d"),
)  # fmt: skip


class _Desk:
    """Nights whose side work writes one page, and counts."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, **when: str) -> None:
        data = {"underlying": "SPX", "bars": "bars.csv", "lake": "lake"}
        self.settings = parse_config({"data": data, "nightly": when}, folder)
        self.out, self.made, self.broken = folder / "nights", list[str](), set[str]()
        for name in work.SIDE_WORK:
            monkeypatch.setattr(work, f"_{name}", self._maker(name))

    def _maker(self, name: str) -> Any:
        def make(_: object, __: object, stage: Path, ___: object) -> Any:
            self.made.append(name)
            if name in self.broken:
                raise NotEnoughDataError("only 3 sessions")
            (stage / work.SIDE_WORK[name]).write_text(f"page {len(self.made)}")
            return lambda: None

        return make

    def night(self, session: str, content: str, monkeypatch: pytest.MonkeyPatch) -> Any:
        table = pd.DataFrame(index=pd.DatetimeIndex([session]))
        market: Any = SimpleNamespace(regime=SimpleNamespace(table=table))
        monkeypatch.setattr(work, "_content", lambda *_: content * 64)
        log = RunLog()
        found = work.side_work(self.settings, market, self.out, log, silent)
        return found, {step.name: step.status for step in log.steps}


@pytest.mark.parametrize("when", ["never", "daily", "weekly", "on_change"])
def test_what_is_due_runs_once(when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = _Desk(tmp_path, monkeypatch, test=when)
    for session, content in NIGHTS:
        for _ in range(2):
            found, steps = desk.night(session, content, monkeypatch)
            assert list(steps) == ["grid", "tournament", "test"]
            assert (steps["grid"], steps["tournament"]) == ("skipped", "skipped")
            if when != "never":
                assert (desk.out / found[0].page).read_text().startswith("page")
    days = [date.fromisoformat(day) for day, _ in NIGHTS]
    mondays = {day.toordinal() - day.weekday() for day in days}  # of ISO weeks
    expected = {
        "never": 0, "daily": len(set(days)), "weekly": len(mondays),
        "on_change": len({content for _, content in NIGHTS}),
    }  # fmt: skip
    assert expected == {"never": 0, "daily": 5, "weekly": 3, "on_change": 4}
    assert desk.made == ["test"] * expected[when]


def test_one_that_fails_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = _Desk(tmp_path, monkeypatch, grid="weekly", tournament="daily")
    desk.broken.add("tournament")
    found, steps = desk.night("2026-01-05", "a", monkeypatch)
    assert steps == {"grid": "done", "tournament": "failed", "test": "skipped"}
    assert [(w.name, w.page, w.reason) for w in found] == [
        ("grid", "grid/2026-01-05-aaaaaaaaaa/grid.html", ""), ("tournament", "", "only 3 sessions"),
    ]  # fmt: skip
    desk.broken.clear()
    _, steps = desk.night("2026-01-05", "a", monkeypatch)
    assert steps == {"grid": "unchanged", "tournament": "done", "test": "skipped"}


def test_what_was_lost_or_changed_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = _Desk(tmp_path, monkeypatch, grid="weekly")
    for day, (name, content) in enumerate(
        (("grid.html", ""), ("grid.html", "another"), ("made.json", ""), ("made.json", "[]")), 5
    ):
        page = desk.out / desk.night(f"2026-01-{day:02d}", "a", monkeypatch)[0][0].page
        (page.parent / name).unlink()
        if content:
            (page.parent / name).write_text(content)
        assert desk.night(f"2026-01-{day:02d}", "a", monkeypatch)[1]["grid"] == "done"
    assert len(desk.made) == 5


def test_how_often_changes_no_digest(tmp_path: Path) -> None:
    data = {"underlying": "SPX", "bars": "bars.csv", "lake": "lake"}
    plain = parse_config({"data": data}, tmp_path)
    asked = parse_config({"data": data, "nightly": {"grid": "daily", "test": "weekly"}}, tmp_path)
    assert asked.sha256 == plain.sha256
    assert (plain.nightly.grid, plain.nightly.tournament, plain.nightly.test) == ("never",) * 3
