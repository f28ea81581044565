"""README and documents: commands run, every command is described, no link leads nowhere."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from gexlab.reports.cli import app as cli

ROOT = Path(__file__).resolve().parents[3]
CLI = ROOT / "docs" / "cli.md"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _help(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert cli.run([*arguments, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    return "\n".join(line.rstrip() for line in lines).strip()


def _cli_document(capsys: pytest.CaptureFixture[str]) -> str:
    """Return docs/cli.md as the commands' own help would have it."""
    parts = [
        "# Commands",
        "Generated from `--help`; a test keeps it so. `GEXLAB_ACCEPT_GOLDEN=1 python -m pytest "
        "tests/reports/cli/test_documents.py -k generated` rewrites it.",
        f"```text\n{_help(capsys)}\n```",
    ]
    for name in cli.COMMANDS:
        parts.append(f"## gexlab {name}\n\n```text\n{_help(capsys, name)}\n```")
    return "\n\n".join(parts) + "\n"


def test_command_help_is_generated(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERMINAL_WIDTH", "100")
    document = _cli_document(capsys)
    if os.environ.get("GEXLAB_ACCEPT_GOLDEN"):
        CLI.write_text(document, encoding="utf-8")
    assert CLI.read_text(encoding="utf-8") == document


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_is_in_the_guide(name: str) -> None:
    guide = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    assert f"gexlab {name}" in guide


def test_readme_commands_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    name, text = re.findall(r"Save this as `([\w.]+)`:\n\n```toml\n(.*?)```", README, re.S)[0]
    (tmp_path / name).write_text(text, encoding="utf-8")
    commands = [
        line
        for block in re.findall(r"```sh\n(.*?)```", README, re.S)
        for line in block.splitlines()
    ]
    assert len(commands) >= 9
    for line in commands:
        program, *arguments = shlex.split(line)
        assert program == "gexlab"
        assert cli.run(arguments) == 0, f"{line}: {capsys.readouterr().err}"
    assert (tmp_path / "tour" / "out" / "report.html").is_file()


@pytest.mark.parametrize(
    "document",
    [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("http://", "https://", "#", "mailto:")):
            assert (document.parent / target.split("#")[0]).exists(), f"{document.name}: {target}"


def test_every_document_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    folder = ROOT / "docs"
    documents = {
        str(path.relative_to(folder))
        for path in folder.rglob("*.md")
        if "decisions" not in path.parts and path.name != "README.md"
    }
    assert {name for name in documents if f"]({name})" not in index} == set()
