"""What users' own components reach for beside their declared inputs, read from their source.

Recomputation gives a component other inputs. What comes in another way (a file, the clock, what a
call left in another module) stays as it was there, so that nothing changes. Here the class is
read, with every function, class and name of the same file that it uses.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...strategies import Component
from .found import Leak

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from ...strategies import Strategy

__all__ = ["reached_outside"]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_READS: Final = _set(
    "open urlopen urlretrieve read_text read_bytes genfromtxt loadtxt fromfile memmap "
    "scan_parquet scan_csv read_parquet read_csv read_feather read_json read_pickle "
    "read_excel read_hdf read_table read_sql read_fwf read_orc read_ipc ParquetFile "
    "create_connection"
)
#: Ordinary words, which mean this of these modules alone.
_READS_OF: Final = _set(
    "numpy.load joblib.load duckdb.connect duckdb.sql duckdb.query duckdb.read "
    "sqlite3.connect requests.get requests.post httpx.get os.getenv subprocess.run "
    "subprocess.check_output subprocess.Popen"
)
_CLOCK: Final = _set("now utcnow today time_ns localtime gmtime perf_counter")
_CLOCK_OF: Final = _set("time.time time.monotonic time.ctime time.strftime")
_WRITES: Final = _set("write_text write_bytes putenv to_parquet to_csv to_pickle")

_SAID: Final = {
    "reads_undeclared": "what it reads there holds later sessions unseen: declare it as an input "
    "(a series of the configuration)",
    "reads_the_clock": "a decision may depend on its session, never on when it is computed",
    "keeps_state_elsewhere": "what one call leaves there reaches the next, and may come from later "
    "sessions",
}


def reached_outside(strategy: Strategy, first: date) -> list[Leak]:
    """Return what a strategy's own components reach for beside their inputs, one of each kind."""
    parts = (strategy.filter, strategy.long, strategy.short, strategy.neutral, strategy.sizing)
    found: dict[tuple[str, str], Leak] = {}
    for component in (each for part in parts for each in _all_of(part)):
        for kind, line, what in _of_class(type(component)):
            said = f"{strategy.name}: line {line} uses {what}; {_SAID[kind]}"
            found.setdefault((component.name, kind), Leak(component.name, first, kind, said))
    return list(found.values())


def _all_of(value: object) -> Iterator[Component]:
    """Yield a component and those that are parameters of it."""
    if isinstance(value, Component):
        yield value
        for part in value.parameters().values():
            yield from _all_of(part)
    elif isinstance(value, tuple):
        for part in value:
            yield from _all_of(part)


def _of_class(made: type[Component]) -> Iterator[tuple[str, int, str]]:
    file = getattr(sys.modules.get(made.__module__), "__file__", None) or ""
    if not file.endswith(".py") or made.__module__.startswith("gexlab."):
        return
    tree = ast.parse(Path(file).read_bytes())
    imported = _imported(tree)
    for statement in _used(tree, made.__name__):
        for node in ast.walk(statement):
            kind = _kind_of(node, imported)
            if kind is not None:
                yield kind, node.lineno, ast.unparse(node)  # type: ignore[attr-defined]


def _imported(tree: ast.Module) -> dict[str, str]:
    """Return names in a file that are imported, with what they are in full."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                short = each.name.partition(".")[0]
                names[each.asname or short] = each.name if each.asname else short
        elif isinstance(node, ast.ImportFrom):
            names |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    return names


def _used(tree: ast.Module, name: str) -> list[ast.stmt]:
    """Return the statements of a file that a name needs, its own first."""
    binds: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        for bound in _bound(statement):
            binds.setdefault(bound, []).append(statement)
    wanted, used = [name], list[ast.stmt]()
    while wanted:
        for statement in binds.pop(wanted.pop(), ()):
            used.append(statement)
            wanted += [node.id for node in ast.walk(statement) if isinstance(node, ast.Name)]
    return used


def _bound(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    return [node.id for node in names if isinstance(node.ctx, ast.Store)]


def _kind_of(node: ast.AST, imported: dict[str, str]) -> str | None:
    if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
        return "keeps_state_elsewhere" if _owner(node) in imported else None
    if isinstance(node, ast.Attribute | ast.Name):
        return "reads_undeclared" if _full_name(node, imported) == "os.environ" else None
    return _kind_of_call(node, imported) if isinstance(node, ast.Call) else None


def _kind_of_call(call: ast.Call, imported: dict[str, str]) -> str | None:
    full = _full_name(call.func, imported)
    last = full.rpartition(".")[2]
    if full == "setattr" and call.args and _owner(call.args[0]) in imported:
        return "keeps_state_elsewhere"
    if last in _WRITES:
        return "keeps_state_elsewhere"
    if last in _READS or full in _READS_OF:
        return "reads_undeclared"
    words = [each.value for each in call.args if isinstance(each, ast.Constant)]
    if last in _CLOCK or full in _CLOCK_OF or words[:1] in (["now"], ["today"]):
        return "reads_the_clock"
    return None


def _full_name(node: ast.expr, imported: dict[str, str]) -> str:
    """Return ``numpy.load`` for ``np.load``; of what is no plain name, its last part."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    parts.append(imported.get(node.id, node.id) if isinstance(node, ast.Name) else "")
    return ".".join(reversed(parts))


def _owner(node: ast.expr) -> str:
    """Return the name at the beginning of ``a.b[c].d``; nothing where there is none."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
