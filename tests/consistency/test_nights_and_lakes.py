"""What nights, the archive, the lake's record and commands on many names say: walked and compared.

`test_every_output_has_an_entry` walks every key of their documents and every column of their files:
a new one needs an entry in `told_night_outputs.HELD`, with the test that holds it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from told_elsewhere import PLAIN
from told_night_outputs import HELD
from told_nights import Night, Told, told_of
from told_outputs import Page, Place

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return told_of(tmp_path_factory.mktemp("nights"))


def _leaves(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, part in value.items():
            word = "NAME" if key in ("MKT", "OTH") else str(key)
            yield from _leaves(part, f"{path}.{word}" if path else word)
    elif isinstance(value, list) and value and isinstance(value[0], dict | list):
        for part in value:
            yield from _leaves(part, f"{path}.[]" if path else "[]")
    else:
        yield path


def _outputs(told: Told) -> set[str]:
    documents = [(k, v) for k, v in told.documents.items() if k not in ("explain", "sql")]
    for night in told.nights:
        documents += [
            ("run.json", night.run), ("run.json", night.own_run), ("nightly.json", night.note),
            ("targets.json", night.targets), ("record", night.entry),
        ]  # fmt: skip
    names = {f"{name} {path}" for name, document in documents for path in _leaves(document)}
    last = told.nights[1]
    names |= {f"targets.csv {c}" for c in last.table.columns}
    names |= {f"summary.md {c}" for c in _orders_of_summary(last.summary).columns}
    for table in ("tab-live", "tab-forecasts"):
        names |= {f"page {table} {c}" for c in last.page.tables[table].columns}
    archive = Page.of((told.folder / "nights" / "index.html").read_text(encoding="utf-8"))
    names |= {f"page tab-nights {c}" for c in archive.tables["tab-nights"].columns}
    for path in (told.folder / "tables").iterdir():
        names |= {f"{path.name} {c}" for c in pd.read_parquet(path).columns}
    return names


def test_every_output_has_an_entry(told: Told) -> None:
    patterns = [re.sub(r"\[\](?!\])", "[[]]", pattern) for pattern in HELD]
    outputs = sorted(_outputs(told))
    new = [name for name in outputs if not any(fnmatchcase(name, p) for p in patterns)]
    assert not new, "\n".join(new)
    print(f"{len(outputs)} outputs")  # noqa: T201


def test_what_holds_an_output_exists() -> None:
    for pattern, held in HELD.items():
        if held not in PLAIN:
            path, _, name = held.partition("::")
            source = (TESTS / path).read_text(encoding="utf-8")
            assert re.search(rf"^def {name}\(", source, re.MULTILINE), pattern


def _orders_of_summary(text: str) -> pd.DataFrame:
    """Return the table of a summary, texts without their backslashes."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[c.strip().replace("\\", "") for c in line[1:-1].split("|")] for line in lines]
    return pd.DataFrame(cells[2:], columns=pd.Index([c or "why" for c in cells[0]]))


_WORDS = {"long": "long gamma", "short": "short gamma", "neutral": "neutral"}
#: Names of a night, the column of the regime table, the fact of the report, the digits of a line.
_COLUMNS = (
    ("value", "net_gex", None, None),
    ("spot", "spot", "Spot", r"spot ([\d.,]+)"),
    ("flip", "flip", "Flip", r", flip ([\d.,]+)"),
    ("flip_distance", "flip_distance", None, None),
    ("call_wall", "call_wall", "Call wall", r"call wall ([\d.,]+)"),
    ("put_wall", "put_wall", "Put wall", r"put wall ([\d.,]+)"),
    ("net_to_gross", "net_to_gross", "Net / gross", None),
)


def _places(told: Told, night: Night, name: str) -> list[Place]:
    """Return what a night's documents say of a quantity."""
    archived = next(n for n in told.documents["runs"]["nights"] if n["name"] == night.folder.name)
    places = [
        Place(f"{document} {name}", held[name])
        for document, held in (
            ("run.json", night.run), ("the night's run.json", night.own_run),
            ("nightly.json", night.note["facts"]), ("runs", archived["facts"]),
        )
    ]  # fmt: skip
    return [*places, *([Place(f"printed {name}", night.said[name])] if name in night.said else [])]


def test_a_night_says_what_the_lake_says(told: Told) -> None:
    """Files, archive, report, summary and terminal of a night against the regime table."""
    wrong, pairs = [], 0
    for night in told.nights:
        session = night.run["session"]
        row = told.rows.loc[("MKT", session)]
        stated = {
            "session": (session, []),
            "underlying": ("MKT", [night.page.facts["Underlying"]]),
            "regime": (row["regime"], []),
            "quality": (row["quality"], []),
            "definition_id": (row["definition_id"], [night.page.facts["Definition"]]),
            "content_id": (night.results["provenance"]["content_id"], []),
            "summary": (night.run["summary"], []),
            "alerts": (night.run["alerts"], []),
            "currency": ("$", []),
        }
        quantities: list[tuple[str, Any, list[Place]]] = []
        for name, (expected, texts) in stated.items():
            places = [Place(f"page {name}", text) for text in texts]
            own = [] if name == "summary" else _places(told, night, name)
            quantities.append((name, expected, [*own, *places]))
        for name, column, fact, pattern in _COLUMNS:
            places = _places(told, night, name)
            if fact is not None:
                places.append(Place(f"fact {fact}", night.page.facts[fact], shown=True))
            for where, text in (("run.json", night.run["summary"]), ("md", night.summary)):
                if pattern is not None:
                    found = re.search(pattern, text.replace("\\", ""))
                    places.append(Place(f"summary of {where} {name}", found and found[1], True))
            quantities.append((name, float(row[column]), places))
        net = night.run["summary"].partition("net GEX ")[2].partition(",")[0]
        quantities.append(
            ("net GEX", row["net_gex"] / _scale(net), [Place("summary net GEX", net, True)])
        )
        fact = night.page.facts["Net GEX"]
        quantities.append(
            ("net GEX", row["net_gex"] / _scale(fact), [Place("fact Net GEX", fact, True)])
        )
        far = 100.0 * abs(row["flip"] / row["spot"] - 1.0)
        found = re.search(r"\(([\d.]+) % (above|below)\)", night.run["summary"])
        assert found is not None
        assert (found[2] == "below") == (row["flip"] < row["spot"])
        quantities.append(("flip from spot", far, [Place("summary", found[1], True)]))
        places = [p for _, _, held in quantities for p in held]
        pairs += len(places)
        wrong += [
            f"{name}, {place.where}: {place.value!r}, {expected!r}"
            for name, expected, held in quantities
            for place in held
            if not place.agrees(expected)
        ]
        word = _WORDS[row["regime"]]
        assert night.page.facts["Regime"] == word
        assert f"MKT {session}: {word}" in night.run["summary"]
        assert f"MKT {session}: {word}" in night.summary.replace("\\", "")
        assert night.folder.name.startswith(session)
        assert night.own_run["folder"] == night.folder.name
        assert night.own_run["report"] == f"{night.folder.name}/report.html"
        assert (night.run["status"], night.run["exit_code"]) == ("degraded", 4)
        assert (night.said["status"], night.said["exit_code"]) == ("degraded", 4)
        assert night.run["alerts"][0] in night.page.text
        counts = night.results["regime"]["counts"]
        known = told.rows.loc["MKT"].loc[:session]
        assert counts == {
            k: int((known["regime"] == k).sum()) for k in ("long", "short", "neutral", "abstain")
        }
    assert not wrong, "\n".join(wrong)
    assert pairs > 100
    print(f"{pairs} places of two nights")  # noqa: T201


def _scale(text: str) -> float:
    """Return how many units the unit after an amount stands for."""
    unit = text.strip().rpartition(" ")[2]
    return {"k": 1e3, "mm": 1e6, "bn": 1e9}[unit]


def test_the_change_is_that_of_the_table_and_of_explain(told: Told) -> None:
    rows = told.rows.loc["MKT"]
    for night in told.nights:
        before = rows.index[list(rows.index).index(night.run["session"]) - 1]
        change = night.run["change"]
        assert change["since"] == before
        by = rows.loc[night.run["session"], "net_gex"] - rows.loc[before, "net_gex"]
        assert change["by"] == pytest.approx(by)
        line = night.run["summary"]
        word = "up" if by > 0 else "down"
        found = re.search(rf"{word} (\S+ \w+) since {before}, most by ([a-z ]+) \((.*)\)", line)
        assert found is not None, line
        assert Place("by", found[1], True).agrees(abs(by) / _scale(found[1]))
        assert Place("part", found[3], True).agrees(change["part"] / _scale(found[3]))
        assert found[2] == change["mostly"]
    parts = told.documents["explain"]["change"]
    named = ("expired", "spot", "time", "volatility", "forwards", "open_interest", "coverage")
    largest = max(named, key=lambda name: abs(parts[name]))
    change = told.nights[1].run["change"]
    assert change["mostly"] == largest.replace("_", " ")
    assert change["part"] == pytest.approx(parts[largest])
    assert change["by"] == pytest.approx(sum(parts[name] for name in named))


def _opening(session: str) -> pd.Timestamp:
    return pd.Timestamp(f"{session} 09:30", tz="America/New_York").tz_convert("UTC")


def test_targets_are_what_the_next_backtest_decided(told: Told) -> None:
    """The first night's targets against the orders of the second night's backtest."""
    first, second = told.nights
    days = list(told.bars.index)
    at = days.index(first.run["session"])
    orders = second.orders.assign(decided=second.orders["decided"].dt.strftime("%Y-%m-%d"))
    rows = told.rows.loc["MKT"]
    for target in first.targets["targets"]:
        own = orders[orders["strategy"] == target["strategy"]].set_index("decided")
        wanted = own["target"].reindex(days).ffill()
        assert target["session"] == days[at]
        assert target["target"] == pytest.approx(wanted.iloc[at])
        assert target["before"] == pytest.approx(wanted.iloc[at - 1])
        assert target["abstains"] == ""
        assert target["fill"] == second.results["execution"]["fill"]
        assert pd.Timestamp(target["fill_at"]) == _opening(days[at + 1])
        assert pd.Timestamp(target["valid_until"]) == _opening(days[at + 2])
        if days[at] in own.index:
            order = own.loc[days[at]]
            assert order["label"] == target["label"]
            assert order["fill_ts"] == pd.Timestamp(target["fill_at"])
            assert order["session"] == pd.Timestamp(days[at + 1])
        if target["strategy"] in ("fade-long-follow-short", "follow-long-fade-short"):
            assert target["label"] == rows.loc[days[at], "regime"]
        assert target["role"] == second.results["strategies"][target["strategy"]]["role"]
        read = {i["column"]: i for i in target["inputs"]}
        if "close" in read:
            assert read["close"]["value"] == told.bars.loc[days[at], "close"]
            closed = pd.Timestamp(f"{days[at]} 16:00", tz="America/New_York")
            assert pd.Timestamp(read["close"]["known_at"]) == closed
        if "regime.label" in read:
            assert read["regime.label"]["value"] == rows.loc[days[at], "regime"]
            assert read["regime.label"]["known_at"] == rows.loc[days[at], "known_at"]
    assert {t["strategy"] for t in first.targets["targets"]} == set(orders["strategy"])


def test_targets_are_told_alike_in_every_file(told: Told) -> None:
    for night in told.nights:
        table, document = night.table, night.targets
        lines = _orders_of_summary(night.summary)
        assert len(table) == len(lines) == len(document["targets"]) == 5
        assert document["content_id"] == night.run["content_id"]
        assert f"content id `{night.run['content_id']}`" in night.summary
        assert document["underlying"] == "MKT"
        assert set(table["content_id"]) == {document["content_id"]}
        assert set(table["underlying"]) == {"MKT"}
        forecasts = [f for f in night.note["facts"]["forecasts"] if f["kind"] == "target"]
        for i, target in enumerate(document["targets"]):
            row, line, forecast = table.iloc[i], lines.iloc[i], forecasts[i]
            for name, value in target.items():
                if name != "inputs":
                    assert row[name] == value, name
            read = dict(part.rsplit(" ", 1) for part in row["inputs"].split("; ") if part)
            assert read == {i["column"]: str(i["value"]) for i in target["inputs"]}
            assert line["strategy"] == forecast["name"] == target["strategy"]
            assert Place("summary", line["target"], True).agrees(target["target"])
            assert (line["label"], line["why"]) == (target["label"], target["abstains"])
            until = pd.Timestamp(target["valid_until"])
            assert line["valid until"] == f"{until:%Y-%m-%d %H:%M} UTC"
            assert forecast["value"] == target["target"]
            for name in ("fill", "fill_at", "valid_until"):
                assert forecast[name] == target[name]


def _parkinson(told: Told) -> pd.Series[float]:
    """Return the squared volatility of each session a year, from its range."""
    ratio = told.bars["high"].to_numpy() / told.bars["low"].to_numpy()
    return pd.Series(np.log(ratio) ** 2 / (4.0 * np.log(2.0)) * 252, told.bars.index)


def test_forecasts_are_those_of_their_night(told: Told) -> None:
    for night in told.nights:
        entry, session = night.entry, night.run["session"]
        assert entry["forecasts"] == night.note["facts"]["forecasts"]
        assert entry["session"] == session
        for name in ("content_id", "definition_id"):
            assert entry[name] == night.run[name]
        regime, volatility, direction = entry["forecasts"][:3]
        assert regime["name"] == night.results["regime"]["name"]
        assert regime["value"] == night.run["regime"]
        cell = night.results["volatility"]["parkinson"][regime["value"]]
        assert volatility["name"] == "parkinson"
        assert volatility["value"] == cell["next_1"]
        after = _parkinson(told).shift(-1).loc[:session].iloc[:-1]
        alike = told.rows.loc["MKT"]["regime"].reindex(after.index) == regime["value"]
        assert volatility["value"] == pytest.approx(np.sqrt(after[alike].mean()))
        main = next(t for t in night.targets["targets"] if t["role"] == "main")
        assert direction["name"] == main["strategy"]
        assert direction["value"] == np.sign(main["target"])
        assert [f["kind"] for f in entry["forecasts"][3:]] == ["target"] * 5


def test_scores_by_pandas(told: Told) -> None:
    """What came of the first night's forecasts: by its bars, in the record and on the report."""
    first, second = told.nights
    days = list(told.bars.index)
    at = days.index(first.run["session"])
    assert [n.entry["number"] for n in told.nights] == [1, 2]
    assert (first.entry["previous"], first.entry["scores"]) == ("", [])
    digest = hashlib.sha256(first.entry_file.read_bytes()).hexdigest()
    assert second.entry["previous"] == digest
    scores = second.entry["scores"]
    said = [(f["kind"], f["name"], f["value"]) for f in first.entry["forecasts"]]
    assert [(s["kind"], s["name"], s["forecast"]) for s in scores] == said
    assert {s["of"] for s in scores} == {1}
    opened = told.bars["open"]
    earned = opened[days[at + 2]] / opened[days[at + 1]] - 1.0
    label = told.rows.loc[("MKT", days[at]), "regime"]
    for score in scores:
        kind, forecast = score["kind"], score["forecast"]
        if kind == "regime":
            assert (score["realised"], score["hit"]) == (label, True)
        elif kind == "volatility":
            assert score["realised"] == pytest.approx(np.sqrt(_parkinson(told)[days[at + 1]]))
        else:
            assert score["realised"] == pytest.approx(earned)
            assert score["hit"] == ((forecast > 0) == (earned > 0))
        assert score["pnl"] == (pytest.approx(forecast * earned) if kind == "target" else None)
    table = second.page.tables["tab-live"].set_index("Strategy")
    table.columns = [re.sub(r" (of those|bp).*", "", str(c)) for c in table.columns]
    for score in scores[3:]:
        row = table.loc[score["name"]]
        assert list(row[["Nights", "Abstained", "Scored"]]) == ["1", "0", "1"]
        mean = _mean_bps(second, score["name"])
        for name, expected in (
            ("Hits", 100.0 * score["hit"]), ("Live mean", 1e4 * score["pnl"]),
            ("Live total", 100.0 * score["pnl"]), ("Backtest mean", mean),
        ):  # fmt: skip
            assert Place(name, row[name], True).agrees(expected), (name, row[name], expected)
    said_table = second.page.tables["tab-forecasts"].set_index("Forecast")
    row = said_table.loc["volatility of the next session"]
    for name, key in (("Forecast mean", "forecast"), ("Realised mean", "realised")):
        assert Place(name, row[name], True, 100.0).agrees(scores[1][key])
    assert said_table.loc["regime of the session", "As said"] == "100 %"
    own = f"{100 * scores[2]['hit']:.0f} %"
    assert said_table.loc["direction to the next fill", "As said"] == own
    assert set(said_table["Nights"]) == set(said_table["Scored"]) == {"1"}
    assert "tab-live" not in first.page.tables


def _mean_bps(night: Night, strategy: str) -> float:
    equity = pd.read_parquet(night.folder / "equity.parquet")
    returns = equity.loc[equity["strategy"] == strategy, "return"]
    # the first session has no position yet, and no return
    return 1e4 * float(returns.iloc[1:].mean())


def test_steps_count_what_came_in(told: Told) -> None:
    first, second = told.nights
    added = [
        s["counts"]["added"] for n in told.nights for s in n.run["steps"] if s["name"] == "store"
    ]
    assert sum(added) == sum(f.is_file() for f in (told.folder / "nights/inputs").rglob("*"))
    for night in told.nights:
        assert night.run["steps"] == night.own_run["steps"] == night.said["steps"]
        steps = {s["name"]: s for s in night.run["steps"]}
        assert list(steps) == [
            "snapshot", "ingest", "rebuild", "backtest", "store", "record",
            "grid", "tournament", "test", "lake", "publish", "webhook", "mail",
        ]  # fmt: skip
        assert steps["lake"]["counts"] == {"archived": 1, "joined": 0}
        made = {v["version"]: v["operation"] for v in told.documents["versions"]}
        assert made[night.results["provenance"]["lake_version"]] == "ingest"
        ingested, rebuilt = night.said["ingested"], night.said["rebuilt"]
        for name, count in steps["ingest"]["counts"].items():
            expected = len(night.run["put_aside"]) if name == "put_aside" else ingested[name]
            assert count == expected, name
        assert steps["rebuild"]["counts"] == {k: rebuilt[k] for k in ("sessions", "rebuilt")}
        assert steps["record"]["counts"]["scores"] == len(night.entry["scores"])
        assert night.run["seconds"] >= sum(s["seconds"] for s in steps.values())
    assert (first.said["ingested"]["rows_written"], first.said["rebuilt"]["rebuilt"]) == (0, 0)
    new = told.chains[told.chains["session"] > first.run["session"]]
    assert second.said["ingested"]["rows_written"] == len(new)
    assert second.said["ingested"]["sessions"] == new["session"].nunique()
    assert second.said["rebuilt"]["rebuilt"] == new["session"].nunique()
    assert second.said["rebuilt"]["sessions"] == told.sessions["MKT"]


def test_the_archive_says_what_the_nights_wrote(told: Told) -> None:
    archived = {n["name"]: n for n in told.documents["runs"]["nights"]}
    assert list(archived) == [night.folder.name for night in told.nights[::-1]]
    assert told.documents["runs"]["differences"] is None
    both = {n["name"]: n for n in told.documents["runs --compare"]["nights"]}
    assert both == archived
    for night in told.nights:
        held, facts = archived[night.folder.name], dict(night.note["facts"])
        del facts["forecasts"]
        assert held["facts"] == facts
        assert {k: night.run[k] for k in facts} == facts
        for name in ("session", "regime", "quality"):
            assert held[name] == facts[name]
        assert held["damaged"] == []
        provenance = night.results["provenance"]
        inputs = {i["path"]: i["sha256"] for i in provenance["inputs"]}
        assert held["inputs"] == inputs | {"configuration": provenance["config_sha256"]}
        bars = (told.folder / "bars" / "MKT.parquet").read_bytes()
        assert inputs["bars/MKT.parquet"] == hashlib.sha256(bars).hexdigest()
        versions = {"gexlab": provenance["gexlab"], **provenance["versions"]}
        assert held["versions"] == versions
        assert night.run["gexlab"] == versions["gexlab"]
        assert held["created_at"] == night.own_run["created_at"] == night.run["created_at"]
        written = {p.name for p in night.folder.iterdir()} - {"run.json", "nightly.json"}
        assert set(night.note["files"]) == written
        for name, digest in night.note["files"].items():
            assert hashlib.sha256((night.folder / name).read_bytes()).hexdigest() == digest
    listed = Page.of((told.folder / "nights" / "index.html").read_text(encoding="utf-8"))
    table = listed.tables["tab-nights"].set_index("Session")
    for night in told.nights:
        row, cells = told.rows.loc[("MKT", night.run["session"])], table.loc[night.run["session"]]
        net = str(cells["Net GEX"])
        assert Place("net", net, True).agrees(row["net_gex"] / _scale(net))
        for heading, expected in (
            ("Net / gross", row["net_to_gross"]), ("Spot", row["spot"]), ("Flip", row["flip"]),
            ("Spot above flip", 100.0 * row["flip_distance"]), ("Put wall", row["put_wall"]),
            ("Call wall", row["call_wall"]), ("Regime", _WORDS[row["regime"]]),
            ("Night", night.folder.name.rpartition("-")[2]),
            ("State", night.run["alerts"][0]),
        ):  # fmt: skip
            assert Place(heading, cells[heading], True).agrees(expected), heading
    printed = told.terminal["runs"]
    for session in (n.run["session"] for n in told.nights):
        (line,) = [row for row in printed.splitlines() if row.startswith(session)]
        row = told.rows.loc[("MKT", session)]
        assert _WORDS[row["regime"]] in line
        assert f" {row['spot']:.2f} " in line
        assert f" {row['flip']:.2f} " in line


def test_two_nights_differ_where_their_files_do(told: Told) -> None:
    differences = told.documents["runs --compare"]["differences"]
    numbers = {d["name"]: d for d in differences if d["kind"] == "number"}
    flat = []
    for night in told.nights:
        facts = {k: v for k, v in night.run.items() if k in night.note["facts"]}
        facts |= {f"change.{k}": v for k, v in facts.pop("change").items()}
        flat.append(facts)
    assert flat[0].keys() == flat[1].keys()
    assert set(numbers) == {name for name in flat[0] if flat[0][name] != flat[1][name]}
    for name, found in numbers.items():
        assert (found["first"], found["second"]) == (flat[0][name], flat[1][name])
    inputs = {d["name"]: d for d in differences if d["kind"] == "input"}
    made = [
        {i["path"]: i["sha256"] for i in n.results["provenance"]["inputs"]} for n in told.nights
    ]
    assert set(inputs) == {"lake"}
    assert [inputs["lake"]["first"], inputs["lake"]["second"]] == [m["lake"] for m in made]


def test_versions_are_what_the_lake_holds_at_each(told: Told) -> None:
    """Sessions that each version changed, added up, against counts by SQL as of that version."""
    found = told.documents["versions"]
    assert [v["version"] for v in found] == list(range(len(told.held)))
    moments = [pd.Timestamp(v["at"]) for v in found]
    assert moments == sorted(moments)
    summed: dict[str, dict[str, int]] = {"chains": {}, "regimes": {}}
    nights = [v for v in found if v["operation"] == "archive"]
    assert len(nights) == len(told.nights)
    assert {(v["underlying"], v["sessions"]) for v in nights} == {(None, 0)}
    for version, held in zip(found, told.held, strict=True):
        if version not in nights:
            table = {"ingest": "chains", "rebuild": "regimes"}[version["operation"]]
            known, names = summed[table], version["underlying"].split(",")
            before = sum(known.values())
            if len(names) == 1:
                known[names[0]] = known.get(names[0], 0) + version["sessions"]
            else:  # several at once: their sum is what it says
                known |= {name: held[table][name] for name in names}
            assert sum(known.values()) - before == version["sessions"]
        assert held == {t: summed[t] for t in held}, version
    assert summed["chains"] == summed["regimes"] == told.sessions
    lines = [line.split() for line in told.terminal["versions"].splitlines()[1:]]
    assert [[int(w[0]), *w[3:5], int(w[5])] for w in lines] == [
        [v["version"], v["operation"], v["underlying"] or "all", v["sessions"]] for v in found
    ]
    for version, words in zip(found, lines, strict=True):
        assert " ".join(words[1:3]) == version["at"].replace("T", " ")[:19]


def _joined(files: set[str], before: dict[str, int]) -> set[str]:
    """Return the files of each folder that it did not have before, all where there are none.

    Those that it had stay because an archived night names them.
    """
    fresh = {path for path in files if path not in before}
    folders = {path.rpartition("/")[0] for path in fresh}
    return fresh | {path for path in files if path.rpartition("/")[0] not in folders}


def test_compact_and_vacuum_by_the_disk(told: Told) -> None:
    before, compacted, after, last = told.disk
    done, gone = told.documents["compact"], told.documents["vacuum"]
    chains, rebuilt = (
        [{p for p in disk if (p.startswith("chains/")) == own} for disk in told.disk]
        for own in (True, False)
    )
    plain = ("archives/", "chains/", "rebuilds/", "sessions/", "sources/", "versions/")
    rebuilt = [{p for p in disk if not p.startswith(plain)} for disk in told.disk]
    assert done["underlyings"] == len(told.sessions)
    assert done["files_before"] == len(chains[0])
    assert done["rebuilt_before"] == len(rebuilt[0])
    # what was joined stays for earlier versions until the vacuum
    assert set(before) <= set(compacted)
    assert done["files_after"] == len(_joined(chains[2], before))
    assert done["rebuilt_after"] == len(_joined(rebuilt[2], before))
    removed = set(compacted) - set(after)
    assert gone["files"] == len(removed)
    assert gone["bytes"] == sum(compacted[path] for path in removed)
    readable = told.documents["versions after vacuum"]
    assert gone["versions"] == len(readable)
    spared = [v for v in readable if v["version"] < gone["oldest"]]
    named = {n.results["provenance"]["lake_version"] for n in told.nights}
    assert {v["version"] for v in spared} == named
    readable = readable[len(spared) :]
    assert gone["oldest"] == readable[0]["version"]
    joined = told.documents["versions after compact"]
    assert joined[: len(told.held)] == told.documents["versions"]
    assert {v["operation"] for v in joined[len(told.held) :]} == {"compact"}
    assert readable[0] == joined[-1]
    assert [v["operation"] for v in readable[1:]] == ["vacuum"]
    assert {v["sessions"] for v in (*joined[len(told.held) :], *readable)} == {0}
    # a lake of Delta tables has nothing to migrate
    assert set(told.documents["migrate"].values()) == {0}
    assert told.documents["versions after migrate"] == [*spared, *readable]
    assert last == after
    # every file that a log names was read, and the logs and marks themselves
    assert told.documents["verify *"]["files"] == told.files


_SHARED = (
    "known_at", "spot", "regime", "quality", "net_gex", "gross_gex", "net_to_gross",
)  # fmt: skip


def _section(told: Told, table: str) -> pd.DataFrame:
    frame = pd.DataFrame(told.documents["cross-section"][table])
    return frame.assign(session=frame["session"].str[:10])


def _same(found: pd.Series[Any], expected: pd.Series[Any]) -> bool:
    return bool(
        np.allclose(found.astype(float), expected.astype(float), rtol=1e-12, atol=0, equal_nan=True)
    )


def test_names_of_a_cross_section_by_pandas(told: Told) -> None:
    names = _section(told, "names").set_index(["underlying", "session"]).sort_index()
    rows = told.rows.sort_index()
    assert names.index.equals(rows.index)
    for column in _SHARED:
        assert names[column].equals(rows[column]), column
    assert names["counts"].equals(rows["quality"] == "ok")
    day = names.groupby("session")
    assert _same(names["share_of_absolute"], names["net_gex"] / day["net_gex"].transform(_absolute))
    assert _same(names["share_of_gross"], names["gross_gex"] / day["gross_gex"].transform("sum"))
    size = day["net_gex"].transform("size")
    for column in ("net_gex", "net_to_gross"):
        rank = ((day[column].rank() - 1.0) / (size - 1.0)).where(size > 1)
        assert _same(names[f"rank_{column}"], rank)
    worth = names.index.get_level_values(0).map({"MKT": 5e9, "OTH": 2e9})
    assert _same(names["per_market_value"], names["net_gex"] / worth)
    assert list(names["sector"]) == ["wide" if n == "MKT" else "narrow" for n, _ in names.index]
    volumes = pd.read_csv(told.folder / "volumes.csv").set_index(["underlying", "session"])
    mean = volumes["dollar_volume"].rolling(21).mean().reindex(names.index)
    assert _same(names["per_dollar_volume"], names["net_gex"] / mean)
    assert mean.notna().sum() > 5
    said = told.documents["cross-section"]
    assert {said["book"]} == set(rows["book"])
    assert set(said["definition_ids"]) == set(rows["definition_id"])
    assert set(said["dealer_models"]) == set(rows["dealer_model"])
    for table in ("names", "market", "sectors"):
        stored = pd.read_parquet(told.folder / "tables" / f"{table}.parquet")
        printed = pd.DataFrame(said[table])
        assert list(stored.columns) == list(printed.columns)
        for column in stored.columns:
            if pd.api.types.is_float_dtype(stored[column]):
                assert _same(printed[column], stored[column]), column


def _absolute(values: pd.Series[float]) -> float:
    return float(values.abs().sum())


def test_sums_of_a_cross_section_by_pandas(told: Told) -> None:
    rows = told.rows.reset_index()
    rows["sector"] = rows["underlying"].map({"MKT": "wide", "OTH": "narrow"})
    wanted: list[tuple[str, Any, pd.DataFrame, int]] = [("market", None, rows, 2)]
    wanted += [("sectors", s, part, 1) for s, part in rows.groupby("sector")]
    for table, sector, part, size in wanted:
        found = _section(told, table)
        found = found if sector is None else found[found["sector"] == sector]
        found = found.set_index("session")
        assert len(found) == told.sessions["MKT"]
        for at, row in found.iterrows():
            session = str(at)
            here = part[part["session"] == session]
            assert row["names"] == len(here)
            assert (row["abstaining"], row["lacking"]) == (0, size - len(here))
            if here.empty:
                assert row.drop(["sector", "names", "abstaining", "lacking"]).isna().all()
                continue
            net, gross = here["net_gex"], here["gross_gex"]
            weight = net.abs() / net.abs().sum()
            shares = [float((here["regime"] == k).mean()) for k in ("long", "short", "neutral")]
            entropy = -sum(p * np.log(p) for p in shares if p) / np.log(3.0)
            expected = {
                "net_gex": net.sum(), "gross_gex": gross.sum(),
                "net_to_gross": net.sum() / gross.sum(),
                "share_long": shares[0], "share_short": shares[1], "share_neutral": shares[2],
                "concentration": (weight**2).sum(), "largest_share": weight.max(),
                "dispersion": here["net_to_gross"].std(), "regime_entropy": entropy,
            }  # fmt: skip
            for name, value in expected.items():
                held = float("nan") if row[name] is None else float(row[name])
                assert held == pytest.approx(value, nan_ok=True), (session, name)
            assert row["largest"] == here["underlying"].iloc[int(net.abs().to_numpy().argmax())]
            assert row["known_at"] == here["known_at"].max()
    assert "nan" not in told.terminal["cross-section"].lower()


def test_all_names_are_each_of_them(told: Told) -> None:
    """Sums over names against each name, the files that went in, and the lake by SQL."""
    sessions = told.sessions
    came = told.chains[told.chains["session"] <= told.nights[0].run["session"]]
    rows = came.groupby("name").size()
    days = came.groupby("name")["session"].nunique()
    read, done = told.documents["ingest *"], told.documents["rebuild *"]
    for document, of in ((read, "rows_written"), (done, "contracts")):
        parts = document["by_underlying"]
        assert {k: v[of] for k, v in parts.items()} == dict(rows)
        assert document[of] == rows.sum()
        assert {k: v["sessions"] for k, v in parts.items()} == dict(days)
        assert document["sessions"] == days.sum()
    for name in ("rows_read", "rows_rejected", "rows_replaced", "rows_repeated", "rows_left_out"):
        assert read[name] == sum(v[name] for v in read["by_underlying"].values())
    assert read["rows_read"] == rows.sum()
    assert done["rebuilt"] == sum(v["rebuilt"] for v in done["by_underlying"].values())
    assert {k: v["rebuilt"] for k, v in done["by_underlying"].items()} == dict(days)
    assert {done["definition_id"]} == {v["definition_id"] for v in done["by_underlying"].values()}
    assert {done["definition_id"]} == set(told.rows["definition_id"])
    checked = told.documents["check *"]
    assert {finding["underlying"] for finding in checked} == set(sessions)
    assert sessions == told.held[-1]["chains"]
    assert told.documents["verify *"]["sessions"] == sum(sessions.values())
    every = pd.DataFrame(told.documents["regimes *"])
    assert dict(every.groupby("underlying")["session"].nunique()) == sessions
    assert set(every.groupby(["underlying", "session"]).size()) == {2}
    keys = ["underlying", "session", "book"]
    exported = every.assign(session=every["session"].str[:10]).sort_values(keys, ignore_index=True)
    stored = pd.DataFrame(told.documents["sql"])
    stored = stored.assign(session=stored["session"].str[:10])
    assert set(exported.columns) == set(stored.columns)
    for column in exported.columns:
        both = exported[column], stored[column]
        if column.endswith(("_ts", "_at", "_asof")):
            first, second = (pd.to_datetime(one, utc=True, format="ISO8601") for one in both)
            assert first.equals(second), column
        else:
            assert both[0].equals(both[1]), column
    assert list(told.rows.loc["MKT"].index) == list(told.bars.index)
    spots = told.chains.groupby(["name", "session"])["spot"].first()
    assert _same(told.rows["spot"].sort_index(), spots.rename_axis(["underlying", "session"]))


def test_runs_of_all_names_are_their_files(told: Told) -> None:
    """Each name's document is its file, and its counts are those of the regime table."""
    for command, folder, file in (
        ("backtest *", "out", "results.json"),
        ("test *", "tests", "hypotheses.json"),
    ):
        document = told.documents[command]
        assert document["failed"] == {}
        assert list(document["underlyings"]) == sorted(told.sessions)
        for name, found in document["underlyings"].items():
            path = told.folder / folder / name / file
            stored = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(found, dict):
                assert Path(found["report"]).is_file()
                assert found == stored | {"report": found["report"]}
                assert found["data"]["underlying"] == name
                assert found["data"]["sessions"] == told.sessions[name]
                counted = told.rows.loc[name]["regime"].value_counts()
                assert {k: v for k, v in found["regime"]["counts"].items() if v} == dict(counted)
            else:
                assert found == stored
    # one night's backtest is that of the command
    alone = told.documents["backtest *"]["underlyings"]["MKT"]
    night = told.nights[1].results
    for part in ("data", "regime", "volatility", "autocorrelation"):
        assert alone[part] == night[part], part
    main = "fade-long-follow-short"
    assert alone["strategies"][main]["sharpe"] == night["strategies"][main]["sharpe"]
