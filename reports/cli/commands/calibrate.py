"""``gexlab calibrate``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit, to_json
from ...terminal.progress import progress_on_stderr
from ..options import DebugOption, JsonOption, SchedulerOption, WorkersOption

if TYPE_CHECKING:
    from rich.console import Console

    from ....backtest import SimulatedMarkets, SimulationCheck
    from ....data import Workers

EXAMPLES = (
    "gexlab calibrate momentum-split --world S0 --world S3 --seeds 100",
    "gexlab calibrate fade-follow --seeds 200 --out critical.json --out charts.html",
    "gexlab calibrate tournament --world S0 --world S9 --seeds 200",
    "gexlab calibrate intervals --seeds 1000 --out docs/calibration.md",
    "gexlab calibrate --out docs/calibration.md",
)


_NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME]...", help="Hypotheses, tournament or intervals; default: the plan."
    ),
]
_WorldOption = Annotated[
    list[str] | None,
    typer.Option("--world", help="World or variant; may be repeated.  [default: S0]"),
]
_StrengthOption = Annotated[
    list[float] | None,
    typer.Option("--strength", help="Factor on the hedging effect; may be repeated.  [default: 1]"),
]
_SeedsOption = Annotated[int, typer.Option("--seeds", min=2, help="Markets per world.")]
_SessionsOption = Annotated[
    int | None,
    typer.Option(
        "--sessions",
        min=60,
        help="Length of a market.  [default: 1500; of the tournament 2520]",
        show_default=False,
    ),
]
_FirstSeedOption = Annotated[
    int, typer.Option("--first-seed", min=0, help="Seed of the first market.")
]
_CalibrationOption = Annotated[
    str, typer.Option("--calibration", help="visible (for tests) or realistic.")
]
_ProcessesOption = Annotated[
    int, typer.Option("--processes", min=1, help="Markets simulated at a time.")
]
_OutOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Write .md (tables), .html (charts) or .json (for gexlab test --critical); may "
        "be repeated.",
    ),
]


def command(
    names: _NamesArgument = None,
    world: _WorldOption = None,
    strength: _StrengthOption = None,
    seeds: _SeedsOption = 400,
    sessions: _SessionsOption = None,
    first_seed: _FirstSeedOption = 0,
    calibration: _CalibrationOption = "visible",
    processes: _ProcessesOption = 2,
    workers: WorkersOption = 1,
    scheduler: SchedulerOption = None,
    out: _OutOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Measure size and power of hypotheses on simulated markets.

    Rejection rates with Wilson intervals, and critical values from the null world. Of
    "intervals" the coverage is measured instead: --seeds samples of each kind of returns.
    """
    from ....backtest import SimulatedMarkets
    from ....data import Workers
    from ..arguments import calibration_named

    if not names and (world or strength or calibration != "visible"):
        raise typer.BadParameter(
            "--world, --strength and --calibration go with hypotheses: name one, or leave them out "
            "for the whole plan, which has its own"
        )
    _require_writable(out or [])
    if names == ["intervals"]:
        _intervals(seeds, first_seed, out or [], as_json=as_json)
        return
    markets = SimulatedMarkets(
        tuple(world or ["S0"]),
        tuple(strength or [1.0]),
        calibration_named(calibration),
        seeds,
        sessions,
        first_seed=first_seed,
    )
    result = _measured(names, markets, processes, Workers(workers, scheduler))
    for path in out or []:
        _write(result, path)
    emit(result.document(), as_json, lambda console: _show(console, result))


def _measured(
    names: list[str] | None, markets: SimulatedMarkets, processes: int, workers: Workers
) -> SimulationCheck:
    from ....backtest import calibrate, calibrate_tournament, check_plan

    with progress_on_stderr("calibrate") as progress:
        if names == ["tournament"]:
            return calibrate_tournament(
                markets, processes=processes, workers=workers, progress=progress
            )
        if names:
            return calibrate(
                names, markets, processes=processes, workers=workers, progress=progress
            )
        return check_plan(
            seeds=markets.seeds,
            power_seeds=max(2, min(100, markets.seeds // 4)),
            sessions=markets.sessions or 1_500,
            processes=processes,
            workers=workers,
            progress=progress,
        )


_ENDINGS = (".md", ".html", ".json")


def _require_writable(paths: list[Path]) -> None:
    """Refuse a file that could not be written before the markets are simulated."""
    from ....data import InputFileError

    for path in paths:
        if path.suffix not in _ENDINGS:
            raise InputFileError(
                f"{path}: a calibration is written as .md, .html or .json: give such an ending"
            )
        folder = path.absolute().parent
        if not folder.is_dir():
            raise InputFileError(
                f"{path}: its folder does not exist: make it, or choose another file with --out"
            )
        if not os.access(folder, os.W_OK | os.X_OK):
            raise InputFileError(
                f"{path}: its folder cannot be written to: choose another file with --out"
            )


def _intervals(samples: int, first_seed: int, out: list[Path], *, as_json: bool) -> None:
    """Measure the coverage of intervals: samples of each kind of returns and length."""
    from ....backtest import interval_coverage
    from ....data import InputFileError, published_file
    from ...page.coverage_markdown import coverage_section, coverage_table, with_section
    from ...terminal.tables import table_of

    for path in out:
        if path.suffix == ".html":
            raise InputFileError(f"{path}: the coverage of intervals is written as .md or .json")
    with progress_on_stderr("calibrate") as progress:
        found = interval_coverage(samples=samples, first_seed=first_seed, progress=progress)
    for path in out:
        text = to_json(found.document()) + "\n"
        if path.suffix == ".md":
            former = path.read_text(encoding="utf-8") if path.is_file() else ""
            text = with_section(former, coverage_section(found))
        with published_file(path) as draft:
            draft.write_text(text, encoding="utf-8")
    emit(found.document(), as_json, lambda console: console.print(table_of(coverage_table(found))))


def _write(result: SimulationCheck, path: Path) -> None:
    from ....data import published_file
    from ...page.calibration_markdown import calibration_page
    from ...page.coverage_markdown import section_of, with_section
    from ...page.html import write_page
    from ...page.sections.calibration import calibration_html_page

    if path.suffix == ".html":
        write_page(calibration_html_page(result), path)
        return
    if path.suffix == ".json":
        text = to_json(result.document()) + "\n"
    else:
        # what another calibration wrote about intervals stays
        kept = section_of(path.read_text(encoding="utf-8")) if path.is_file() else ""
        page = calibration_page(result) + _kept(path)
        text = with_section(page, kept) if kept else page
    with published_file(path) as draft:
        draft.write_text(text, encoding="utf-8")


_HELD_OUT = "## Held out:"


def _kept(path: Path) -> str:
    """Return the part of a page that other markets than the product's fill."""
    if not path.is_file():
        return ""
    _, found, rest = path.read_text(encoding="utf-8").partition(_HELD_OUT)
    return "\n" + found + rest if found else ""


def _show(console: Console, result: SimulationCheck) -> None:
    from ...page.sections.calibration import calibration_tables
    from ...terminal.tables import table_of

    for table in calibration_tables(result):
        console.print(table_of(table))
    console.print(
        f"{result.seeds} markets of {result.sessions} sessions per world, at the "
        f"{100 * result.level:g} % level; --out FILE.md writes what the columns mean",
        style="dim",
    )
