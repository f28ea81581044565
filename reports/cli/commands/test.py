"""``gexlab test``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ...terminal.progress import progress_on_stderr
from ..options import AsOfOption, ConfiguredUnderlyingsOption, DebugOption, JsonOption, OutOption

if TYPE_CHECKING:
    from rich.console import Console

    from ....backtest import Config, HypothesesResult
    from ..many_runs import ManyRuns

EXAMPLES = (
    "gexlab test vol-damping beyond-leverage config.toml --out out",
    "gexlab test --all config.toml --out out",
    "gexlab test fade-follow config.toml --out out --critical critical.json",
)


_WordsArgument = Annotated[
    list[str],
    typer.Argument(metavar="[NAME...] CONFIG.toml", help="Hypotheses and the configuration."),
]
_EveryOption = Annotated[
    bool, typer.Option("--all", help="All hypotheses, corrected for their number.")
]
_SurrogatesOption = Annotated[
    int | None,
    typer.Option(
        "--surrogates",
        min=60,
        help="Books made by rules on your prices, without dealers.  [default: 500]",
    ),
]
_SimulationsOption = Annotated[
    int | None,
    typer.Option(
        "--simulations",
        min=0,
        help="Markets without dealers of each make; 0 switches them off.  [default: 20]",
    ),
]
_CriticalOption = Annotated[
    Path | None,
    typer.Option(
        "--critical",
        metavar="FILE.json",
        help="Critical values of gexlab calibrate, which t must exceed too.",
    ),
]


def command(
    words: _WordsArgument,
    out: OutOption,
    every: _EveryOption = False,
    surrogates: _SurrogatesOption = None,
    simulations: _SimulationsOption = None,
    critical: _CriticalOption = None,
    as_of: AsOfOption = None,
    underlying: ConfiguredUnderlyingsOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Test named claims about dealer hedging on your data.

    Writes hypotheses.json and hypotheses.html: estimate, interval, p-value, the published number
    beside it, and a verdict. A test that lacks data says which. Of several underlyings each has a
    folder of its own, and verdicts are corrected within each.
    """
    from ....backtest import hypotheses_document, load_configs, test, write_hypotheses
    from ....data import published
    from ...page.html import write_page
    from ...page.sections.hypotheses import hypotheses_page
    from ..arguments import names_and_config
    from ..many_runs import run_each

    names, file = names_and_config(words, every=every)

    def run(config: Config, folder: Path) -> HypothesesResult:
        with progress_on_stderr("test") as progress, published(folder) as stage:
            result = test(
                names,
                config,
                surrogates=surrogates,
                simulations=simulations,
                critical=critical,
                as_of=as_of,
                progress=progress,
            )
            write_hypotheses(result, stage)
            write_page(hypotheses_page(result), stage / "hypotheses.html")
        return result

    configs = load_configs(file, underlying)
    if len(configs) == 1:
        result = run(next(iter(configs.values())), out)
        document = hypotheses_document(result)
        emit(document, as_json, lambda console: _show(console, result, out / "hypotheses.html"))
        return
    runs = run_each(configs, out, run)
    said = runs.document(lambda _, result: hypotheses_document(result))
    emit(said, as_json, lambda console: _show_many(console, runs))
    if runs.failed:
        raise typer.Exit(1)


def _show_many(console: Console, runs: ManyRuns[HypothesesResult]) -> None:
    from ...page.formats import fixed
    from ...terminal.tables import simple_table

    table = simple_table("underlying", "claim", "t", "p", "verdict", right=("t", "p"))
    for name, result in runs.done.items():
        for found in result.results:
            outcome = found.outcome
            t, p = (None, None) if outcome is None else (outcome.t_stat, outcome.p_value)
            table.add_row(name, found.card.name, fixed(t), fixed(p, 3), found.verdict)
    console.print(table)
    for name, folder in runs.folders.items():
        console.print(f"{name}: {folder}", style="dim", markup=False)
    for name, reason in runs.failed.items():
        console.print(f"{name}: {reason}", style="red", markup=False)


def _show(console: Console, result: HypothesesResult, report: Path) -> None:
    from ...page.formats import joined, plural
    from ...page.sections.hypotheses import verdicts_table
    from ...terminal.tables import table_of

    counts = joined(f"{number} {name}" for name, number in result.counts.items() if number)
    tests = plural(len(result.results), "hypothesis", "hypotheses")
    of = f" of definition {result.definition_id}" if result.definition_id else ""
    console.print(f"{tests} on {plural(result.sessions, 'session')} with GEX{of}: {counts}")
    console.print(table_of(verdicts_table(result)))
    for found in result.results:
        if found.outcome is None:
            word = found.verdict.split(":")[0].removesuffix(" data")
            console.print(f"{found.card.name} {word}: {found.reason}", style="dim", markup=False)
    console.print(f"report: {report}", style="bold")
