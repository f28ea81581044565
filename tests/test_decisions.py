"""The index of decisions lists every record with its title and status."""

from __future__ import annotations

import os
import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "decisions"
HEAD = """# Decisions

One short record each: context, decision, alternatives.
`GEXLAB_ACCEPT_GOLDEN=1 python -m pytest tests/test_decisions.py` rewrites this list.

| record | title | status |
|---|---|---|
"""


def _row(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    number = path.name[:4]
    title = re.sub(rf"^# (?:{number}:? )?", "", text.splitlines()[0])
    superseded = re.search(r"^Superseded by \[(\d{4})\]", text, re.MULTILINE)
    status = f"superseded by {superseded.group(1)}" if superseded else "in force"
    return f"| [{number}]({path.name}) | {title[0].upper()}{title[1:]} | {status} |\n"


def test_the_index_is_complete() -> None:
    records = sorted(p for p in FOLDER.glob("[0-9]*.md"))
    wanted = HEAD + "".join(_row(path) for path in records)
    index = FOLDER / "README.md"
    if os.environ.get("GEXLAB_ACCEPT_GOLDEN"):
        index.write_text(wanted, encoding="utf-8")
    assert index.read_text(encoding="utf-8") == wanted


def test_links_between_records_lead_somewhere() -> None:
    for path in FOLDER.glob("*.md"):
        for target in re.findall(r"\]\((\d{4}[^)#]*\.md)", path.read_text(encoding="utf-8")):
            assert (FOLDER / target).is_file(), (path.name, target)
