"""``gexlab simulate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..options import DebugOption, JsonOption, LakeOption
from ..output import emit
from ..progress import progress_on_stderr

if TYPE_CHECKING:
    from rich.console import Console

    from ...data.simulate import SimulationResult

EXAMPLES = (
    "gexlab simulate --world S1 --years 2 --seed 7 --lake simulated",
    "gexlab simulate --world S0 --years 5 --seed 1 --lake null --calibration realistic",
)


def command(
    world: Annotated[
        str, typer.Option("--world", help="World: S0 (no dealers) to S8; see the guide.")
    ],
    years: Annotated[float, typer.Option("--years", help="Length in years.")],
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same bytes.")],
    lake: LakeOption,
    contracts: Annotated[
        int, typer.Option("--contracts", help="About how many contracts a session quotes.")
    ] = 1_000,
    calibration: Annotated[
        str, typer.Option("--calibration", help="visible (for tests) or realistic.")
    ] = "visible",
    underlying: Annotated[
        str, typer.Option("--underlying", metavar="X", help="Name of the market in the lake.")
    ] = "SIM",
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write a simulated market whose truth is known.

    Chains, daily and intraday bars, and the truth about them.
    """
    from ...data.simulate import simulate
    from ..choices import calibration_named

    with progress_on_stderr("simulate") as progress:
        result = simulate(
            world,
            years=years,
            seed=seed,
            lake=lake,
            contracts=contracts,
            calibration=calibration_named(calibration),
            underlying=underlying,
            progress=progress,
        )
    emit(result, as_json, lambda console: _show(console, result))


def _show(console: Console, result: SimulationResult) -> None:
    from ..formats import day, plural

    console.print(
        f"world {result.world} ({result.calibration}, seed {result.seed}): "
        f"{plural(result.sessions, 'session')} from {day(result.first_session)} to "
        f"{day(result.last_session)}, {plural(result.contracts, 'contract row')}"
    )
    console.print(f"lake, bars and truth in {result.lake}", style="dim")
