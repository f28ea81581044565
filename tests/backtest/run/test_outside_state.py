"""Every place that reads state of the machine or the process, and why no result depends on it.

`test_dependence` holds settings and inputs against results; this holds the code against a list, so
that a new reader of the clock, the environment or the machine has to be named here.
"""

from __future__ import annotations

import ast
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

import pytest

from gexlab.data.exposure.definition import CurveFile, Definition
from gexlab.data.ingest.plan import recipe_of
from gexlab.data.ingest.settings import with_settings
from gexlab.data.regimes.many import assumed_definition
from gexlab.data.regimes.spec import RegimeSpec
from gexlab.data.tables.underlying_settings import SETTINGS_KEYS, Assumed
from gexlab.data.vendors import vendor

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("data", "strategies", "backtest", "reports")
#: Modules and classes, and which of their attributes read something from outside; None: all.
READERS: Final[dict[str, set[str] | None]] = {
    "os": {"environ", "getenv", "cpu_count", "sched_getaffinity", "getcwd", "getpid", "getuid",
           "getlogin", "uname", "urandom"},
    "time": {"time", "time_ns", "monotonic", "perf_counter", "localtime", "strftime"},
    "datetime": {"now", "today", "utcnow"},
    "date": {"today"},
    "Timestamp": {"now", "today"},
    "Path": {"home", "cwd"},
    "tempfile": {"gettempdir"},
    "shutil": {"disk_usage", "get_terminal_size"},
    "sys": {"platform", "argv"},
    "locale": None,
    "platform": None,
    "socket": None,
    "getpass": None,
    "secrets": None,
    "uuid": None,
}  # fmt: skip

#: How long something took, how long to wait; shown, never in an id. `test_the_clock`.
SECONDS = "seconds"
#: When something was done, kept beside the results. `test_the_clock`.
STAMP = "stamp"
#: How many work at a time. `test_the_number_of_cores`.
CORES = "cores"
#: Names of files that are replaced or removed. `test_another_process_in_another_environment`.
SCRATCH = "scratch"
#: How output looks. `test_another_process_in_another_environment`.
DISPLAY = "display"
#: Where compiled code or locks are kept. `test_another_process_in_another_environment`.
PLACE = "place"
#: With which keys a night is told, and where. `test_a_night_is_told_once`.
TOLD = "told"
#: Which Python computed: part of the id. `test_another_version_is_another_id`.
VERSION = "version"

KNOWN: Final[dict[str, dict[str, str]]] = {
    "backtest/calibration/check.py": {"os.getpid": CORES},
    "backtest/grid/grid.py": {"time.perf_counter": SECONDS},
    "backtest/grid/long_short.py": {"time.perf_counter": SECONDS},
    "backtest/grid/universe_grid.py": {"time.perf_counter": SECONDS},
    "backtest/hypotheses/run.py": {"time.perf_counter": SECONDS},
    "backtest/hypotheses/test.py": {"time.perf_counter": SECONDS},
    "backtest/run/backtest.py": {"datetime.now": STAMP, "time.perf_counter": SECONDS},
    "backtest/run/provenance.py": {"platform.python_version": VERSION},
    "backtest/surrogates/cloud.py": {"os.sched_getaffinity": CORES},
    "backtest/tournament/contest.py": {"time.perf_counter": SECONDS},
    "backtest/tournament/ledger.py": {"datetime.now": STAMP},
    "backtest/tournament/ledger_store.py": {"time.monotonic": SECONDS},
    "backtest/tournament/lockbox.py": {"datetime.now": STAMP},
    "backtest/tournament/tournament.py": {"time.perf_counter": SECONDS},
    # how much memory waits for the next session; the process's own numbers stay what they are
    "data/base/allocator.py": {"os.environ": CORES, "sys.platform": CORES},
    "data/base/forked_workers.py": {
        "os.getpid": CORES, "sys.platform": CORES, "time.monotonic": SECONDS,
    },
    "data/base/workers.py": {"os.environ": CORES},
    "data/base/cache_folder.py": {
        "os.environ": PLACE, "os.getuid": PLACE, "tempfile.gettempdir": PLACE,
    },
    "data/base/progress.py": {"time.monotonic": DISPLAY},
    "data/base/publishing.py": {
        "Path.cwd": SCRATCH, "os.getpid": SCRATCH, "sys.platform": SCRATCH,
    },
    "data/ingest/download.py": {"time.monotonic": SECONDS},
    "data/ingest/snapshot.py": {"os.getpid": SCRATCH},
    "data/ingest/spread.py": {"os.cpu_count": CORES, "uuid.uuid4": SCRATCH},
    "data/lake/archives.py": {"datetime.now": STAMP},
    "data/lake/data_files.py": {"uuid.uuid4": SCRATCH},
    "data/lake/delta_log.py": {
        "time.time": STAMP, "uuid.NAMESPACE_URL": SCRATCH, "uuid.uuid4": SCRATCH,
        "uuid.uuid5": SCRATCH,
    },
    "data/lake/housekeeping.py": {"datetime.now": STAMP, "time.time": STAMP},
    # who asks and when: what is read is held to digests in the log
    "data/lake/s3_client.py": {
        "datetime.now": STAMP, "os.environ": PLACE, "os.getpid": SCRATCH, "time.monotonic": SECONDS,
    },
    "data/lake/mirror.py": {
        "os.environ": PLACE, "time.monotonic": SECONDS, "uuid.uuid4": SCRATCH,
    },
    "data/lake/row_table.py": {"uuid.uuid4": SCRATCH},
    "data/lake/storage.py": {"uuid.uuid4": SCRATCH},
    "data/lake/versions.py": {"datetime.now": STAMP},
    "data/lake/drafts.py": {
        "os.getpid": SCRATCH, "socket.gethostname": SCRATCH, "uuid.uuid4": SCRATCH,
    },
    "data/lake/connection.py": {"os.getpid": SCRATCH, "tempfile.gettempdir": SCRATCH},
    "data/lake/integrity.py": {"os.cpu_count": CORES},
    "data/lake/sql_process.py": {"os.environ": PLACE},
    "data/lake/sql_worker.py": {"os.cpu_count": CORES},
    "data/regimes/many.py": {"time.perf_counter": SECONDS},
    "data/regimes/many_pieces.py": {"os.cpu_count": CORES},
    "data/regimes/rebuild.py": {"time.perf_counter": SECONDS},
    "data/regimes/session_blocks.py": {"os.cpu_count": CORES},
    "data/regimes/sessions.py": {"os.cpu_count": CORES},
    "data/simulate/checks/check.py": {"time.perf_counter": SECONDS},
    # where a process puts what it throws away once it has compiled
    "data/simulate/market/compile_ahead.py": {"os.cpu_count": CORES, "sys.argv": SCRATCH},
    # when threads of OpenBLAS sleep, never how many share a product
    "reports/cli/app.py": {"os.environ": CORES, "os.getcwd": DISPLAY, "sys.argv": DISPLAY},
    "reports/cli/demo.py": {"time.perf_counter": SECONDS},
    "reports/cli/doctor.py": {
        "Path.cwd": DISPLAY, "os.cpu_count": DISPLAY, "platform.machine": DISPLAY,
        "platform.python_version": DISPLAY, "platform.system": DISPLAY,
        "shutil.disk_usage": DISPLAY,
    },
    "reports/cli/failures.py": {"os.environ": DISPLAY},
    "reports/cli/little_memory.py": {"os.getpid": SCRATCH},
    "reports/cli/main_job.py": {"time.perf_counter": SECONDS},
    "reports/nightly/archive.py": {"os.getpid": SCRATCH},
    "reports/nightly/run_log.py": {"datetime.now": STAMP, "time.perf_counter": SECONDS},
    "reports/nightly/turn.py": {"os.getpid": SCRATCH, "sys.platform": PLACE},
    "reports/nightly/webhook.py": {"os.environ": TOLD},
    "reports/terminal/output.py": {"os.environ": DISPLAY},
    "reports/terminal/plain_console.py": {"os.environ": DISPLAY},
    "reports/terminal/progress.py": {"time.monotonic": DISPLAY},
}  # fmt: skip


def _outside(file: Path) -> set[str]:
    """Return what a module reads from outside, as ``os.environ``."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Attribute):
            continue
        value = node.value
        name = value.id if isinstance(value, ast.Name) else getattr(value, "attr", None)
        if name in READERS:
            attributes = READERS[name]
            if attributes is None or node.attr in attributes:
                found.add(f"{name}.{node.attr}")
    return found


def test_every_reader_of_outside_state_is_named() -> None:
    found = {
        str(file.relative_to(ROOT)): names
        for package in PACKAGES
        for file in sorted((ROOT / package).rglob("*.py"))
        if (names := _outside(file))
    }
    unnamed = {file: names - set(KNOWN.get(file, ())) for file, names in found.items()}
    unnamed = {file: names for file, names in unnamed.items() if names}
    assert not unnamed, "say in KNOWN why no result depends on it, and test that"
    gone = {file: set(names) - found.get(file, set()) for file, names in KNOWN.items()}
    assert not {file: names for file, names in gone.items() if names}, "take these out of KNOWN"


#: Each setting of a definition, and another value of it.
DEFINITION: Final[dict[str, Any]] = {
    "rate": 0.04,
    "dividend_yield": 0.01,
    "rate_curve": CurveFile("0" * 64, "rates.csv"),
    "dividend_curve": CurveFile("0" * 64, "dividends.csv"),
    "iv_source": "own",
    "iv_dynamics": "sticky_moneyness",
    "forward_source": "rates",
    "floor_minutes": 60.0,
    "grid_width": 0.25,
    "grid_points": 201,
    "band": 0.05,
}


def test_every_setting_of_a_definition_is_named() -> None:
    assert set(DEFINITION) == {f.name for f in fields(Definition) if f.init}


@pytest.mark.parametrize("name", DEFINITION)
def test_a_setting_of_a_definition_changes_its_id(name: str) -> None:
    changed = Definition(**{name: DEFINITION[name]})
    assert changed.settings != Definition().settings
    assert changed.definition_id != Definition().definition_id


#: Each field of a `RegimeSpec`, and what carries it into the identity of rows.
SPEC: Final = {
    "underlying": "the folder of the rows",
    "definition": "definition_id",
    "dealer": "the folder of the rows",
    "positions": "inputs, and a mark per session",
    "books": "each row has its book",
    "calendar": "inputs, and the mark that all rows share",
    "instrument": "inputs, and the mark that all rows share",
}


def test_every_field_of_a_spec_is_named() -> None:
    assert set(SPEC) == {f.name for f in fields(RegimeSpec)}


def test_inputs_that_are_not_the_lakes_tell_rows_apart() -> None:
    plain = RegimeSpec("SPX")
    others = [
        RegimeSpec("SPX", dealer="signed", positions=Path("p.csv")),
        RegimeSpec("SPX", calendar="XLON"),
        RegimeSpec("SPX", instrument="share"),
        RegimeSpec("SPX", Definition(rate_curve=CurveFile("0" * 64, "rates.csv"))),
    ]
    inputs = [str(sorted(spec.inputs("XNYS").items())) for spec in (plain, *others)]
    assert len(set(inputs)) == len(inputs)


#: Each key of a settings file that acts on rows as they are read, and another value of it.
INGESTED: Final[dict[str, Any]] = {
    "multiplier": 10.0,
    "calendar": "XLON",
    "settlement": "AM",
    "monthly": "last_friday",
    "currency": "EUR",
}
#: Likewise of those that become part of a definition; curves are files.
REBUILT: Final = {"rate": 0.04, "dividend_yield": 0.01, "rate_curve": "", "dividend_curve": ""}
#: The others: fields of a `RegimeSpec`, and columns of the cross-section itself.
BESIDE: Final = {"dealer", "positions", "instrument", "sector", "market_value"}


def test_every_key_of_a_settings_file_is_named() -> None:
    assert set(SETTINGS_KEYS) == {*INGESTED, *REBUILT, *BESIDE}
    assert {"dealer", "positions", "instrument"} <= set(SPEC)


@pytest.mark.parametrize("name", INGESTED)
def test_a_setting_of_an_underlying_changes_how_its_files_are_read(name: str) -> None:
    plain = vendor("orats")
    plain = replace(plain, columns={k: v for k, v in plain.columns.items() if k != "multiplier"})
    said = with_settings(plain, Assumed("SPX", {name: INGESTED[name]}, {name: "own"}))
    assert recipe_of(said) != recipe_of(plain)


@pytest.mark.parametrize("name", REBUILT)
def test_a_setting_of_an_underlying_changes_the_id_of_its_rows(name: str, tmp_path: Path) -> None:
    value: Any = REBUILT[name]
    if name.endswith("curve"):
        value = str(tmp_path / "curve.csv")
        Path(value).write_text("session,rate\n2024-01-02,0.04\n", encoding="utf-8")
    said = assumed_definition(Definition(), Assumed("SPX", {name: value}, {name: "own"}))
    assert said.definition_id != Definition().definition_id
