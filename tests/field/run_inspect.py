"""Print what ``gexlab inspect`` makes of every sample, case and made file, and whether it ingests.

python tests/field/run_inspect.py [WORD...]

A file counts where the preset or the shipped map is the one that reads it (or none is named where
none does) and what ``inspect`` wrote, unchanged, gets rows in (or is refused as the right answer
says). Whether the rows are those of the
right answer is said beside it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from field_cases import CASES, Case, complaints
from layouts import LAYOUTS

from gexlab.data.base.errors import GexlabError
from gexlab.data.ingest.ingest import ingest
from gexlab.data.ingest.inspect import inspect
from gexlab.data.lake.lake import open_lake

SHARED = Path(__file__).resolve().parents[3] / "shared"
#: What the samples are, and whose chain is asked for; a shipped map is named with "map:".
SAMPLES = {
    "cboe_delayed_rut.json": ("cboe_delayed_json", "RUT"),
    "cboe_quote_table_ndx_20221212.csv": ("cboe_quote_table", "NDX"),
    "cboe_quote_table_rut_20221212.csv": ("cboe_quote_table", "RUT"),
    "cboe_quote_table_spx_20221212.csv": ("cboe_quote_table", "SPX"),
    "deribit_btc_2026.parquet": ("deribit", "BTC"),
    "historicaloptiondata_spy_2021.parquet": ("historicaloptiondata", "SPY"),
    "ivolatility_spx_2011.parquet": ("ivolatility", "SPX"),
    "nse_bhavcopy_nifty.parquet": ("nse_bhavcopy", "NIFTY"),
    "taifex_txo_2014.csv": ("map:taifex_txo", "TXO"),
    "taifex_txo_2015.csv": ("map:taifex_txo", "TXO"),
    "taifex_txo_2017.csv": ("map:taifex_txo", "TXO"),
    "yfinance_spy_qqq_iwm_2026.parquet": ("yfinance", "SPY"),
    "../chains/spx_cboe_snapshots_2026.parquet": ("columns", "SPX"),
    "../chains/us_universe_2026.parquet": ("columns", "ABNB"),
}
#: Cases that a shipped map reads, under whatever name the case's own map has.
_MAPS = {
    "15-epochs-in-csv": "map:tardis_options_chain",
    "25-half-day-without-1545": "map:datashop_eod_calcs",
    "30-nse-before-july-2024": "map:nse_before_july_2024",
    "36-taifex-daily-file": "map:taifex_daily",
    "33-databento-three-files": "map:databento",
}  # fmt: skip


@dataclass(frozen=True)
class Tried:
    """One input: where it lies, what it is, and the case that knows the right answer."""

    name: str
    folder: Path
    paths: tuple[str, ...]
    right: str
    underlying: str
    case: Case | None = None


def _inputs(folder: Path) -> Iterator[Tried]:
    for name, (right, underlying) in SAMPLES.items():
        yield Tried(name, SHARED / "data/raw", (name,), right, underlying)
    for case in CASES:
        here = folder / case.name
        shutil.copytree(SHARED / "cases" / case.name, here)
        for name, text in case.files.items():
            (here / name).write_text(text, encoding="utf-8")
        right = _MAPS.get(case.name, case.vendor)
        yield Tried(case.name, here, case.paths[:1], right, case.underlying, case)
    for number, layout in enumerate(LAYOUTS):
        here = folder / f"layout-{number}"
        for name, body in layout.write(layout.truth()).items():
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            (here / name).write_bytes(body if isinstance(body, bytes) else body.encode())
        right = f"map:{layout.mapping}" if layout.mapping else layout.vendor
        yield Tried(layout.name, here, ("in",), right, layout.underlying)


def judged(tried: Tried, folder: Path) -> tuple[bool, str | None, list[str]]:
    """Return whether the name is right, why nothing got in, and in what the rows differ."""
    os.chdir(tried.folder)  # files of joins are looked for in the working folder
    seen = inspect(tried.paths[0])
    shipped = re.search(r"gexlab's own map (\S+) fits", seen.map)
    named = f"map:{shipped[1]}" if shipped else seen.vendor or "columns"
    mapping = folder / "starting.toml"
    mapping.write_text(seen.map, encoding="utf-8")
    lake = folder / "lake"
    shutil.rmtree(lake, ignore_errors=True)
    try:
        ingest(
            tried.paths, vendor=seen.vendor or "columns", underlying=tried.underlying, lake=lake,
            mapping=None if seen.vendor else mapping,
        )  # fmt: skip
    except GexlabError as error:
        refusal = tried.case.refused if tried.case else None
        if refusal is not None and re.search(refusal, str(error)):
            return named == tried.right, None, []
        return named == tried.right, str(error)[:300], []
    if not open_lake(lake).sessions(tried.underlying):
        return named == tried.right, "no session", []
    differs = complaints(tried.case, folder) if tried.case and not tried.case.refused else []
    return named == tried.right, None, differs


def seen(
    folder: Path, words: Sequence[str] = ()
) -> Iterator[tuple[str, bool, str | None, list[str]]]:
    """Yield each input that has one of the words in its name, or every one, and what came of it."""
    for tried in list(_inputs(folder)):
        if not words or any(word.casefold() in tried.name.casefold() for word in words):
            yield tried.name, *judged(tried, folder)


def main() -> None:
    """Look at everything, or at what has one of the words in its name."""
    right = got_in = both = equal = count = 0
    with tempfile.TemporaryDirectory() as scratch:
        for name, named, why, differs in seen(Path(scratch), sys.argv[1:]):
            count, right, got_in = count + 1, right + named, got_in + (why is None)
            both += named and why is None
            equal += why is None and not differs
            said = why or ("; ".join(differs) if differs else "ok")
            sys.stdout.write(f"{name}: {'named' if named else 'NAMED OTHERWISE'}; {said}\n")
            sys.stdout.flush()
    sys.stdout.write(
        f"{count} looked at: {right} named rightly, {got_in} get in by what inspect wrote, "
        f"{both} both ({both / max(count, 1):.1%}), {equal} with no answer known to differ\n"
    )


if __name__ == "__main__":
    main()
