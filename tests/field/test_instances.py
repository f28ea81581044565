"""Each further input of a kind gives the rows that one reads in it, or says what it lacks."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from instances import INSTANCES, Instance
from public_layouts import SEEN

from gexlab.data.base.errors import GexlabError
from gexlab.data.ingest import read_rows as room
from gexlab.data.ingest.ingest import ingest


def _shown(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 9)
    return str(value) if isinstance(value, (date, datetime)) else value


@pytest.mark.parametrize(
    "instance",
    [*INSTANCES, *(seen.instance for seen in SEEN)],
    ids=lambda i: f"{i.kind}: {i.name}",
)
def test_an_instance(instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_SHOWN_ROWS", 100)
    for name, body in instance.files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body if isinstance(body, bytes) else body.encode())
    mapping = None
    if instance.mapping is not None:
        mapping = tmp_path / "map.toml"
        mapping.write_text(instance.mapping, encoding="utf-8")
    arguments: dict[str, Any] = {
        "vendor": instance.vendor, "underlying": instance.underlying, "lake": tmp_path / "lake",
        "mapping": mapping, "dry_run": True,
    }  # fmt: skip
    if isinstance(instance.rows, str):
        with pytest.raises(GexlabError, match=instance.rows):
            ingest([tmp_path / "in"], **arguments)
        return
    result = ingest([tmp_path / "in"], **arguments)
    rows = [tuple(_shown(row[name]) for name in instance.names) for row in result.first_rows]
    assert (sorted(rows, key=str), result.rows_rejected) == (sorted(instance.rows, key=str), 0)
