"""``gexlab test``: names and configuration, verdicts, and the page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gexlab.data.base.errors import ConfigError
from gexlab.data.calendar.trading import trading_calendar
from gexlab.reports.cli import app as cli
from gexlab.reports.cli.arguments import names_and_config


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a configuration on a random walk and an unrelated series."""
    days = trading_calendar("XNYS").sessions[-4000:-3500]
    rng = np.random.default_rng(9)
    close = pd.Series(100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, len(days)))))
    spread = np.abs(rng.normal(0.0, 0.004, len(days)))
    bars = {"session": days, "open": close, "high": close * (1 + spread)}
    pd.DataFrame(bars | {"low": close * (1 - spread), "close": close}).to_csv(
        tmp_path / "bars.csv", index=False
    )
    gex = pd.DataFrame({"session": days, "value": rng.normal(1.0, 2.0, len(days))})
    gex.to_csv(tmp_path / "gex.csv", index=False)
    text = (
        '[data]\nunderlying = "X"\ninstrument = "etf"\nbars = "bars.csv"\n'
        '[regime]\nsource = "series"\n[regime.series]\npath = "gex.csv"\nknown = "close"\n'
        "[inference]\nbootstrap = 200\n"
    )
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("words", "every", "expected"),
    [
        (["a", "b", "c.toml"], False, (["a", "b"], Path("c.toml"))),
        (["c.toml", "a"], False, (["a"], Path("c.toml"))),
        (["c.toml"], True, (None, Path("c.toml"))),
    ],
)
def test_words_are_names_and_one_configuration(
    words: list[str], every: bool, expected: tuple[list[str] | None, Path]
) -> None:
    assert names_and_config(words, every=every) == expected


@pytest.mark.parametrize(
    ("words", "every", "message"),
    [
        (["a"], False, "one configuration"),
        (["a.toml", "b.toml"], True, "one configuration"),
        (["a", "c.toml"], True, "--all"),
        (["c.toml"], False, "--all"),
    ],
)
def test_other_words_are_refused(words: list[str], every: bool, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        names_and_config(words, every=every)


def test_claims_are_tested_and_written(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["test", "fade-follow", "momentum-split", str(config), "--out", str(tmp_path)]
    assert cli.run([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in document] == ["fade-follow", "momentum-split"]
    # a random walk and an unrelated series: nothing to be found, and no intraday bars
    assert document[0]["verdict"] == "not supported"
    assert document[1]["verdict"].startswith("needs data")
    assert document[1]["estimate"] is None
    assert document == json.loads((tmp_path / "hypotheses.json").read_text(encoding="utf-8"))
    page = (tmp_path / "hypotheses.html").read_text(encoding="utf-8")
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert "Not supported if" in page
    visible = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.S)
    assert not re.search(r">\s*(nan|NaN|None)\b", visible)
    assert cli.run(arguments) == 0
    text = capsys.readouterr().out
    assert "1 not supported and 1 needs data" in text


def test_an_unknown_claim_names_the_nearest(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["test", "vol-dampin", str(config), "--out", str(tmp_path / "x")]) == 1
    assert "did you mean 'vol-damping'?" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_critical_values_of_a_calibration_run_decide(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {"level": 0.05, "seeds": 20, "sessions": 500, "critical": {"fade-follow": 50.0}}
    file = tmp_path / "critical.json"
    file.write_text(json.dumps(values), encoding="utf-8")
    arguments = ["test", "fade-follow", str(config), "--out", str(tmp_path / "out"), "--json"]
    assert cli.run([*arguments, "--critical", str(file)]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["verdict"] == "not supported"
    assert "is not beyond 50.00" in entry["reason"]
    assert cli.run([*arguments, "--critical", str(tmp_path / "absent.json")]) == 1
    assert "gexlab calibrate NAME --out FILE.json" in capsys.readouterr().err
