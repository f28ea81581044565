"""The command line: ``gexlab COMMAND``.

Each command lives in a module of its own in ``commands`` and imports what it needs when it
runs, so that ``gexlab --help`` answers at once. Exit codes: 0 done, 1 failed (one line says
why and what to do), 2 wrong usage.
"""

from __future__ import annotations

import gc
import io
import os
import re
import sys
import traceback
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from ...data import shown
from ..terminal.output import to_json
from .commands import (
    backtest,
    calibrate,
    check,
    compact,
    components,
    cross_section,
    demo,
    diff,
    doctor,
    explain,
    grid,
    ingest,
    inspect,
    leakcheck,
    ledger,
    lockbox,
    migrate,
    nightly,
    profile,
    rebuild,
    regimes,
    runs,
    simulate,
    snapshot,
    sql,
    test,
    tournament,
    vacuum,
    verify,
    versions,
)
from .failures import reason_of
from .little_memory import watched

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from types import ModuleType

__all__ = ["COMMANDS", "build_app", "console", "main", "run"]

#: How often a command looks for cycles of objects: there are few beside those of imported modules,
#: and looking through these over and over is a tenth of the demo.
_RARELY: Final = (100_000, 20, 100)

#: How long threads of OpenBLAS look for more work before they sleep: 2 to this of the processor's
#: ticks. Its own 2**26 are .03 s of processor time of every process that imports numpy, and as much
#: after each product; a product that follows at once finds them awake with this too.
_SOON_ASLEEP: Final = ("OPENBLAS_THREAD_TIMEOUT", "16")

#: Name of a command to the module with its ``command`` function and its ``EXAMPLES``.
COMMANDS: dict[str, ModuleType] = {
    "demo": demo,
    "ingest": ingest,
    "inspect": inspect,
    "check": check,
    "rebuild": rebuild,
    "regimes": regimes,
    "cross-section": cross_section,
    "profile": profile,
    "explain": explain,
    "diff": diff,
    "backtest": backtest,
    "grid": grid,
    "tournament": tournament,
    "test": test,
    "ledger": ledger,
    "lockbox": lockbox,
    "components": components,
    "leakcheck": leakcheck,
    "nightly": nightly,
    "runs": runs,
    "simulate": simulate,
    "calibrate": calibrate,
    "snapshot": snapshot,
    "sql": sql,
    "versions": versions,
    "verify": verify,
    "compact": compact,
    "vacuum": vacuum,
    "migrate": migrate,
    "doctor": doctor,
}


def main() -> None:
    """Run the command line on the process's arguments and exit."""
    for stream in (sys.stdout, sys.stderr):
        # a terminal that knows no minus sign shows a question mark instead of a traceback
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.exit(run(sys.argv[1:]))


def console() -> NoReturn:
    """Run `main` as a process of its own, which ends at once with the exit code of the work.

    Everything is written and closed by then. What an ordinary exit would still do is take native
    libraries apart (thread pools, allocators), which costs a quarter of a second and can end in
    a signal: a nightly job would look failed whose report is ready.
    """
    good_order = watched()
    gc.set_threshold(*_RARELY)
    os.environ.setdefault(*_SOON_ASLEEP)
    code = 0
    try:
        main()
    except SystemExit as done:
        code = done.code if isinstance(done.code, int) else 1
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = _broken_pipe()
    except OSError as error:
        code = code or _failed(error, ())
    with suppress(OSError):  # nobody reads it
        sys.stderr.flush()
    if good_order is not None:
        os.write(good_order, b".")
    os._exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    arguments : sequence of str
        What follows ``gexlab`` on the command line.

    Returns
    -------
    int
        0 success, 1 failure, 2 wrong usage; see ``docs/cli.md`` for the codes of nightly.
    """
    try:
        words = [_beside(word) for word in arguments]
        code = build_app(_named(words))(args=words, prog_name="gexlab", standalone_mode=False)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    except BrokenPipeError:
        return _broken_pipe()
    except Exception as error:
        wrong = _wrong_usage(error, arguments)
        return _failed(error, arguments) if wrong is None else wrong
    return code if isinstance(code, int) else 0


def _beside(word: str) -> str:
    """Return a path that begins with ``./~`` in full: without its dot it would be the home's."""
    option, found, path = word.rpartition("./~")
    if not found or (option and not re.fullmatch(r"--[a-z-]+=", option)):
        return word
    return f"{option}{os.path.join(os.getcwd(), '~')}{path}"


def _wrong_usage(error: Exception, arguments: Sequence[str]) -> int | None:
    """Print how the command is used, if that is what was wrong, and return the exit code.

    The words of the command line are quoted in it, and shown like any other text.
    """
    show = getattr(error, "show", None)
    if show is None:
        return None
    said = str(getattr(error, "message", ""))
    if said.startswith(_CHECKED):
        error.message = _with_word(said, error, arguments)  # type: ignore[attr-defined]
    message = io.StringIO()
    show(file=message)
    sys.stderr.write(shown(message.getvalue(), keep="\n"))
    return int(getattr(error, "exit_code", 2))


#: How the check of an option's value begins to say what is wrong.
_CHECKED = "Input should be "


def _with_word(said: str, error: Exception, arguments: Sequence[str]) -> str:
    """Return what is wrong with an option's value together with what was written."""
    expected = said.removeprefix(_CHECKED).partition(", unable to parse")[0].rstrip(".")
    for option in getattr(getattr(error, "param", None), "opts", ()):
        for word, following in pairwise([*arguments, ""]):
            value = following if word == option else word.partition("=")[2]
            if word.partition("=")[0] == option:
                return f"should be {expected}, found {value!r}"
    return f"should be {expected}"


def _named(words: Sequence[str]) -> Collection[str]:
    """Return the one command that is asked for; all where that takes a look at the options."""
    return words[:1] if words and words[0] in COMMANDS else COMMANDS


def build_app(commands: Collection[str] = COMMANDS.keys()) -> typer.Typer:
    """Return the Typer application.

    Parameters
    ----------
    commands : collection of str
        Names in `COMMANDS`; every one where not given.

    Returns
    -------
    Typer
    """
    app = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback()(_root)
    for name in commands:
        module = COMMANDS[name]
        summary = (module.command.__doc__ or "").splitlines()[0]
        app.command(name, short_help=summary, epilog=_epilog(module.EXAMPLES))(module.command)
    return app


def _print_version(*, asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"gexlab {version('gexlab')}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and exit.",
            is_eager=True,
            callback=lambda value: _print_version(asked=value),
        ),
    ] = False,
) -> None:
    """Dealer gamma regimes from option chains, tested honestly.

    Start with "gexlab demo": the whole job on a simulated market whose truth is known.
    """


def _epilog(examples: tuple[str, ...]) -> str:
    return "\b\n" + "\n".join(["Example:", *(f"  {line}" for line in examples)])


def _failed(error: Exception, arguments: Sequence[str]) -> int:
    """Say in one line what failed and what to do; under ``--debug`` show where."""
    debug = "--debug" in arguments
    if debug:
        traceback.print_exception(error)
    sys.stderr.write(f"error: {shown(reason_of(error))}\n")
    if "--json" in arguments:
        document = {"error": {"kind": type(error).__name__, "message": reason_of(error)}}
        with suppress(OSError):  # what failed may be standard output itself
            sys.stdout.write(to_json(document) + "\n")
    return 1


def _broken_pipe() -> int:
    """Leave quietly where the reader of a pipe has gone (``gexlab ... | head``)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
