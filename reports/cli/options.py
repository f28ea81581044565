"""Options and arguments that several commands share, each described once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "AsOfOption",
    "BarsColumnsOption",
    "BookOption",
    "ConfigArgument",
    "ConfiguredUnderlyingsOption",
    "DealerOption",
    "DebugOption",
    "JsonOption",
    "LakeOption",
    "LastSessionOption",
    "OneBookOption",
    "OutOption",
    "PageOption",
    "PositionsOption",
    "SchedulerOption",
    "SettingsOption",
    "StoredDealerOption",
    "StoredDefinitionOption",
    "StoredUnderlyingOption",
    "StoredUnderlyingsOption",
    "UnderlyingOption",
    "UnderlyingsOption",
    "WorkersOption",
]

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print exactly one JSON document on standard output.")
]
DebugOption = Annotated[
    bool, typer.Option("--debug", help="Show the traceback where something fails.")
]
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="VERSION|TIME",
        help="The lake as it was then: a number of gexlab versions, or a moment (UTC).",
    ),
]
LakeOption = Annotated[
    Path,
    typer.Option("--lake", metavar="DIR", help="Folder of the lake, or s3://bucket/prefix."),
]
UnderlyingOption = Annotated[
    str,
    typer.Option("--underlying", metavar="X", help="Underlying as named in the lake, e.g. SPX."),
]
UnderlyingsOption = Annotated[
    str,
    typer.Option(
        "--underlying",
        metavar="X|X,Y|'A*'",
        help="Underlying, several with commas, or a pattern; '*' is every one.",
    ),
]
StoredUnderlyingsOption = Annotated[
    str | None,
    typer.Option(
        "--underlying",
        metavar="X|X,Y|'A*'",
        help="Underlying, several with commas, or a pattern; '*' is every one. "
        "Required if the lake holds several.",
    ),
]
ConfiguredUnderlyingsOption = Annotated[
    str | None,
    typer.Option(
        "--underlying",
        metavar="X|X,Y|'A*'",
        help="Instead of the configuration's: one of the lake's underlyings, several with commas, "
        "or a pattern; each gets a folder of its own.",
    ),
]
SettingsOption = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        metavar="FILE",
        help="What holds for which underlying: multiplier, calendar, rates, dealer model "
        "(TOML, Parquet or CSV).",
    ),
]
StoredUnderlyingOption = Annotated[
    str | None,
    typer.Option(
        "--underlying",
        metavar="X",
        help="Underlying as named in the lake; required if it holds several.",
    ),
]
LastSessionOption = Annotated[
    str | None,
    typer.Option(
        "--session", metavar="YYYY-MM-DD", help="Exchange session; default: the last one."
    ),
]
BookOption = Annotated[
    str | None, typer.Option("--book", help="as_of_close or post_expiry; default: both.")
]
DealerOption = Annotated[
    str,
    typer.Option(
        "--dealer",
        metavar="NAME|sql:EXPRESSION",
        help="Dealer model: who is long what (naive, inverted, ..., signed).",
    ),
]
PositionsOption = Annotated[
    Path | None,
    typer.Option("--positions", metavar="FILE", help="Dealers' positions, for --dealer signed."),
]
ConfigArgument = Annotated[
    Path, typer.Argument(metavar="CONFIG.toml", help="Configuration of the run.")
]
PdfOption = Annotated[
    bool,
    typer.Option("--pdf", help="Print the page to a PDF, by a Chromium of this machine."),
]
PngOption = Annotated[
    bool,
    typer.Option("--png", help="Write every chart as chart-NAME.png, by a Chromium likewise."),
]
OutOption = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Folder for the results; made where absent.")
]
WorkersOption = Annotated[
    int,
    typer.Option(
        "--workers", min=1, metavar="N", help="Processes on this machine (Dask, an extra)."
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        "--scheduler", metavar="ADDRESS", help="Dask scheduler whose workers compute (an extra)."
    ),
]
OneBookOption = Annotated[str, typer.Option("--book", help="as_of_close or post_expiry.")]
StoredDealerOption = Annotated[
    str | None,
    typer.Option(
        "--dealer",
        metavar="NAME|sql:EXPRESSION",
        help="Dealer model; required if several were rebuilt.",
    ),
]
StoredDefinitionOption = Annotated[
    str | None,
    typer.Option(
        "--definition",
        metavar="ID|NAME|FILE.toml",
        help="Definition; required if several were rebuilt.",
    ),
]
BarsColumnsOption = Annotated[
    str | None,
    typer.Option(
        "--bars-columns",
        metavar="NAME=COLUMN,...",
        help="The bars' own column names, e.g. session=date,close=c.",
    ),
]
PageOption = Annotated[
    Path | None, typer.Option("--out", metavar="FILE.html", help="Write it as a page.")
]
