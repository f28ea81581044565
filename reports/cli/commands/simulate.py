"""``gexlab simulate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ...terminal.output import emit
from ...terminal.progress import progress_on_stderr
from ..options import DebugOption, JsonOption

if TYPE_CHECKING:
    from rich.console import Console

    from ....data.simulate import SimulationResult, WorldCheck, WorldsCheck

_Value = TypeVar("_Value")

EXAMPLES = (
    "gexlab simulate --world S1 --years 2 --seed 7 --lake simulated",
    "gexlab simulate --world S0 --years 5 --seed 1 --lake null --calibration realistic",
    "gexlab simulate --world S2 --years 2 --seed 7 --lake slow --set impact=1e-13",
    "gexlab simulate --check",
    "gexlab simulate --check S2 S4",
    "gexlab simulate --check --lake simulated",
)


_WorldsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[WORLD]...", help="With --check: worlds; default: all."),
]
_WorldOption = Annotated[
    str | None, typer.Option("--world", help="World: S0 (no dealers) to S10; see the guide.")
]
_YearsOption = Annotated[float | None, typer.Option("--years", help="Length in years.")]
_SeedOption = Annotated[
    int | None,
    typer.Option("--seed", help="The same seed gives the same bytes; with --check 1."),
]
_LakeOption = Annotated[
    Path | None, typer.Option("--lake", metavar="DIR", help="Folder of the lake.")
]
_ContractsOption = Annotated[
    int, typer.Option("--contracts", help="About how many contracts a session quotes.")
]
_CalibrationOption = Annotated[
    str, typer.Option("--calibration", help="visible (for tests) or realistic.")
]
_UnderlyingOption = Annotated[
    str, typer.Option("--underlying", metavar="X", help="Name of the market in the lake.")
]
_ChangesOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the world; may be repeated."),
]
_CheckOption = Annotated[
    bool,
    typer.Option(
        "--check", help="Compare worlds with their closed forms, or --lake with its truth."
    ),
]


def command(
    worlds: _WorldsArgument = None,
    world: _WorldOption = None,
    years: _YearsOption = None,
    seed: _SeedOption = None,
    lake: _LakeOption = None,
    contracts: _ContractsOption = 1_000,
    calibration: _CalibrationOption = "visible",
    underlying: _UnderlyingOption = "SIM",
    changes: _ChangesOption = None,
    check: _CheckOption = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write a simulated market whose truth is known.

    Chains, daily and intraday bars, and the truth about them. With --check, writes nothing
    and prints theory, measured value and simulation error of every world, with exit code 1 if one
    fails; with --lake too, rebuilds that lake and compares it with its truth.
    """
    if check:
        if years is not None or changes:
            raise typer.BadParameter("--check has lengths and parameters of its own")
        _check(worlds or [], world, lake, seed, as_json)
        return
    if worlds:
        raise typer.BadParameter(f"{worlds[0]}: name the world with --world")
    from ....data.simulate import simulate
    from ..arguments import calibration_named, parameters_from

    with progress_on_stderr("simulate") as progress:
        result = simulate(
            _given(world, "--world"),
            years=_given(years, "--years"),
            seed=_given(seed, "--seed"),
            lake=_given(lake, "--lake"),
            contracts=contracts,
            calibration=calibration_named(calibration),
            underlying=underlying,
            parameters=parameters_from(changes or []),
            progress=progress,
        )
    emit(result, as_json, lambda console: _show(console, result))


def _given(value: _Value | None, option: str) -> _Value:
    if value is None:
        raise typer.BadParameter(f"Missing option '{option}' (left out only with --check).")
    return value


def _check(
    worlds: list[str], world: str | None, lake: Path | None, seed: int | None, as_json: bool
) -> None:
    from ....data.simulate import check_worlds

    names = [*worlds, *([world] if world else [])]
    if names and lake is not None:
        raise typer.BadParameter("--check takes worlds or a --lake, not both")
    with progress_on_stderr("check") as progress:
        result = check_worlds(names, lake=lake, seed=1 if seed is None else seed, progress=progress)
    emit(_document(result), as_json, lambda console: _show_checks(console, result))
    if result.failed:
        raise typer.Exit(1)


def _document(result: WorldsCheck) -> dict[str, object]:
    return {
        "holds": not result.failed,
        "checks": [_entry(check, result.limit) for check in result.checks],
        "limit": result.limit,
        "false_alarm": result.false_alarm,
        "seed": result.seed,
        "seconds": result.seconds,
    }


def _entry(check: WorldCheck, limit: float) -> dict[str, object]:
    return {
        "world": check.world,
        "quantity": check.quantity,
        "relation": check.relation,
        "theory": check.theory,
        "measured": check.measured,
        "std_error": check.error,
        "tolerance": check.tolerance,
        "z": check.z,
        "n": check.n,
        "unit": check.unit,
        "holds": check.holds(limit),
    }


def _show_checks(console: Console, result: WorldsCheck) -> None:
    from ...terminal.world_checks import checks_table, checks_words

    console.print(checks_table(result))
    console.print(checks_words(result), style="bold")


def _show(console: Console, result: SimulationResult) -> None:
    from ...page.formats import day, plural

    console.print(
        f"world {result.world} ({result.calibration}, seed {result.seed}): "
        f"{plural(result.sessions, 'session')} from {day(result.first_session)} to "
        f"{day(result.last_session)}, {plural(result.contracts, 'contract row')}"
    )
    console.print(f"lake, bars and truth in {result.lake}", style="dim")
