"""Execute the notebook of the documents, without a kernel.

    python tests/reports/page/notebook_cells.py

Runs the cells of docs/notebook.ipynb in a folder of their own and writes what they show beside
them: text, and HTML where an object has it. Charts are left to whoever opens it.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import pandas as pd

__all__ = ["NOTEBOOK", "executed", "read"]

NOTEBOOK: Final = Path(__file__).resolve().parents[3] / "docs" / "notebook.ipynb"


def read(path: Path = NOTEBOOK) -> dict[str, Any]:
    """Return a notebook as its file has it."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def executed(notebook: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return a notebook with the outputs of its cells, run in a folder, in order."""
    names: dict[str, Any] = {"__name__": "__main__"}
    cells, number = [], 0
    # as wide on every terminal
    with contextlib.chdir(folder), pd.option_context("display.width", 100):
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                number += 1
                outputs = _run("".join(cell["source"]), names, number)
                cell = {**cell, "execution_count": number, "outputs": outputs}
            cells.append(cell)
    return {**notebook, "cells": cells}


def _run(source: str, names: dict[str, Any], number: int) -> list[dict[str, Any]]:
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    outputs: list[dict[str, Any]] = []
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, f"<cell {number}>", "exec"), names)
        value = None
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), f"<cell {number}>", "eval"), names)
    if printed.getvalue():
        outputs.append(
            {"output_type": "stream", "name": "stdout", "text": _lines(printed.getvalue())}
        )
    if value is not None:
        outputs.append(
            {"output_type": "execute_result", "execution_count": number, "metadata": {},
             "data": _shown(value)}
        )  # fmt: skip
    return outputs


def _shown(value: Any) -> dict[str, Any]:
    data = {"text/plain": _lines(repr(value))}
    as_html = getattr(value, "_repr_html_", None)
    if as_html is not None and type(value).__module__.partition(".")[0] != "plotly":
        data["text/html"] = _lines(as_html())
    return data


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def main() -> None:
    """Execute the notebook and write it back."""
    with tempfile.TemporaryDirectory(prefix="gexlab-notebook-") as name:
        found = executed(read(), Path(name))
    text = json.dumps(found, indent=1, ensure_ascii=False)
    NOTEBOOK.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(f"{NOTEBOOK}: {len(text):,} bytes\n")


if __name__ == "__main__":
    main()
