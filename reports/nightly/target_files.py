"""Tomorrow's orders as files: ``targets.json`` and ``targets.csv``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from ...data import defused_frame, encodable
from ..terminal.output import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ...backtest import Target

__all__ = ["TARGET_FILES", "write_targets"]

TARGET_FILES: Final = ("targets.json", "targets.csv")


def write_targets(
    targets: Sequence[Target], content_id: str, underlying: str, folder: Path
) -> None:
    """Write the targets of a night.

    Parameters
    ----------
    targets : sequence of Target
    content_id : str
        Of everything that they were decided from.
    underlying : str
    folder : Path
    """
    import pandas as pd

    head = {"content_id": content_id, "underlying": underlying}
    rows = [asdict(target) for target in targets]
    document = plain({**head, "targets": rows})
    text = json.dumps(document, indent=2, ensure_ascii=False)
    (folder / TARGET_FILES[0]).write_text(encodable(text) + "\n", encoding="utf-8")
    flat = [{**head, **row, "inputs": _in_a_line(row["inputs"])} for row in plain(rows)]
    frame = defused_frame(pd.DataFrame(flat))
    (folder / TARGET_FILES[1]).write_text(
        encodable(frame.to_csv(index=False, lineterminator="\n")), encoding="utf-8"
    )


def _in_a_line(inputs: Sequence[dict[str, Any]]) -> str:
    """Return columns and values, e.g. ``close 5067.64; regime.label long``."""
    return "; ".join(
        f"{i['column']} {'missing' if i['value'] is None else i['value']}" for i in inputs
    )
