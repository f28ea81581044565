"""Print how many files `inspect` names rightly, and how many of its maps ingest.

python tests/field/run_inspect.py

The files are the cases from the field, the made layouts and the vendors' samples. Each is
inspected; then the preset that was named reads it, or else the map that was written, unchanged.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from field_cases import CASES
from layouts import LAYOUTS

from gexlab.data import ingest, inspect
from gexlab.data.base.errors import GexlabError

#: Vendor (``columns``: a map) and one underlying of each sample.
SAMPLES = {
    "raw/cboe_delayed_rut.json": ("cboe_delayed_json", "RUT"),
    "raw/cboe_quote_table_ndx_20221212.csv": ("cboe_quote_table", "NDX"),
    "raw/cboe_quote_table_rut_20221212.csv": ("cboe_quote_table", "RUT"),
    "raw/cboe_quote_table_spx_20221212.csv": ("cboe_quote_table", "SPX"),
    "raw/deribit_btc_2026.parquet": ("deribit", "BTC"),
    "raw/historicaloptiondata_spy_2021.parquet": ("historicaloptiondata", "SPY"),
    "raw/ivolatility_spx_2011.parquet": ("ivolatility", "SPX"),
    "raw/nse_bhavcopy_nifty.parquet": ("nse_bhavcopy", "NIFTY"),
    "raw/taifex_txo_2014.csv": ("columns", "TXO"),
    "raw/taifex_txo_2015.csv": ("columns", "TXO"),
    "raw/taifex_txo_2017.csv": ("columns", "TXO"),
    "raw/yfinance_spy_qqq_iwm_2026.parquet": ("yfinance", "SPY"),
    "chains/spx_cboe_snapshots_2026.parquet": ("columns", "SPX"),
    "chains/us_universe_2026.parquet": ("columns", "ABNB"),
}


@dataclass(frozen=True)
class Seen:
    """What came of one file."""

    name: str
    named: bool
    #: Or is refused with the reason that is the right answer.
    ingests: bool
    said: str


def seen(shared: Path, folder: Path) -> Iterator[Seen]:
    """Yield what comes of each case, layout and sample, in turn."""
    for case in CASES:
        path = shared / "cases" / case.name / case.paths[0]
        found = _seen(case.name, path, case.vendor, case.underlying, folder)
        refused = case.refused is not None and re.search(case.refused, found.said) is not None
        yield replace(found, ingests=True) if refused else found
    for n, layout in enumerate(LAYOUTS):
        here = folder / f"layout{n}"
        for name, body in layout.write(layout.truth()).items():
            path = here / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body if isinstance(body, bytes) else body.encode())
        [path] = (here / "in").iterdir()
        yield _seen(layout.name, path, layout.vendor, layout.underlying, folder)
    for name, (vendor, underlying) in SAMPLES.items():
        yield _seen(name, shared / "data" / name, vendor, underlying, folder)


def _seen(name: str, path: Path, vendor: str, underlying: str, folder: Path) -> Seen:
    found = inspect(path)
    named = (found.vendor or "columns") == vendor
    text = folder / "map.toml"
    text.write_text(found.map, encoding="utf-8")
    try:
        came = ingest(
            [path], vendor=found.vendor or "columns", underlying=underlying,
            lake=folder / "lake", mapping=None if found.vendor else text, dry_run=True,
        )  # fmt: skip
    except GexlabError as error:
        return Seen(name, named, False, str(error))
    said = f"{came.rows_written} of {came.rows_read} rows {dict(came.rejects) or ''}".strip()
    return Seen(name, named, came.rows_written > 0, said)


def main() -> None:
    """Print the table and its sums."""
    shared = Path(__file__).resolve().parents[3] / "shared"
    with tempfile.TemporaryDirectory() as folder:
        rows = list(seen(shared, Path(folder)))
    for row in rows:
        word = "" if row.named else "another name; "
        sys.stdout.write(f"{row.name} {word}{'ok' if row.ingests else 'no'} {row.said[:160]}\n")
    named, ingests = sum(r.named for r in rows), sum(r.ingests for r in rows)
    sys.stdout.write(f"named rightly {named} of {len(rows)}, ingest {ingests} of {len(rows)}\n")


if __name__ == "__main__":
    main()
