"""What users' own components reach for beside their declared inputs, read from their source.

Recomputation gives a component other inputs. What comes in another way (a file, the clock, what a
call left in another module) stays as it was there, so that nothing changes. Here the class is
read, with every function, class and name of the same file that it uses.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import MutableMapping, MutableSequence, MutableSet
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
    "create_connection iterdir rglob"
)
#: Ordinary words, which mean this of these modules alone.
_READS_OF: Final = _set(
    "numpy.load joblib.load duckdb.connect duckdb.sql duckdb.query duckdb.read "
    "sqlite3.connect requests.get requests.post httpx.get os.getenv subprocess.run "
    "subprocess.check_output subprocess.Popen os.listdir os.scandir os.walk os.stat "
    "os.path.exists os.path.getmtime os.path.getsize glob.glob glob.iglob "
    "eval exec __import__ importlib.import_module"
)
#: Names of this project's own doors that give what a lake or a file holds, besides read_ and load_.
_READS_OURS: Final = _set(
    "sql query stream regimes side_table cross_section rebuilt_rows explain profile backtest "
    "rebuild market_panel"
)
#: Modules of arithmetic alone, whose functions may be chosen by name.
_ARITHMETIC: Final = _set("numpy scipy math statistics")
_CLOCK: Final = _set("now utcnow today time_ns localtime gmtime perf_counter")
_CLOCK_OF: Final = _set("time.time time.monotonic time.ctime time.strftime")
_WRITES: Final = _set("write_text write_bytes putenv to_parquet to_csv to_pickle")
_CHANGES: Final = _set(
    "setdefault update append extend add insert pop popitem clear remove discard"
)

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
        made = type(component)
        for kind, line, what in _uses(made.__module__, made.__name__, set()):
            said = f"{strategy.name}: {line} uses {what}; {_SAID[kind]}"
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


def _uses(place: str, name: str, seen: set[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Yield kind, line and expression of what a name of a module reaches for.

    Modules of the same package or folder are followed. What they keep counts as kept elsewhere:
    a fresh run of the component's own module does not undo it.
    """
    module = sys.modules.get(place)
    file = getattr(module, "__file__", None) or ""
    if (place, name) in seen or not file.endswith(".py") or place.startswith("gexlab."):
        return
    helper = bool(seen)
    seen.add((place, name))
    tree = ast.parse(Path(file).read_bytes())
    imported = _imported(tree, getattr(module, "__package__", None) or "")
    kept = imported | ({n: f"{place}.{n}" for n in _values_of(tree)} if helper else {})
    line = f"{Path(file).name}, line" if helper else "line"
    for statement in _used(tree, name):
        for node in ast.walk(statement):
            kind = _kind_of(node, imported, kept)
            if kind is not None:
                yield kind, f"{line} {node.lineno}", ast.unparse(node)  # type: ignore[attr-defined]
            elif isinstance(node, ast.Attribute | ast.Name):
                other, _, attribute = _full_name(node, imported).rpartition(".")
                if other != place and _is_beside(other, place, file):
                    yield from _uses(other, attribute, seen)


def _is_beside(other: str, place: str, file: str) -> bool:
    """Return whether a module is of the same package or folder as another one."""
    theirs = getattr(sys.modules.get(other), "__file__", None)
    if theirs is None:
        return False
    within = "." in place and other.partition(".")[0] == place.partition(".")[0]
    return within or Path(theirs).parent == Path(file).parent


def _imported(tree: ast.Module, package: str) -> dict[str, str]:
    """Return names in a file that are imported, with what they are in full."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                short = each.name.partition(".")[0]
                names[each.asname or short] = each.name if each.asname else short
        elif isinstance(node, ast.ImportFrom):
            start = package.rsplit(".", node.level - 1)[0] if node.level else ""
            module = ".".join(part for part in (start, node.module) if part)
            names |= {each.asname or each.name: f"{module}.{each.name}" for each in node.names}
    return names


def _values_of(tree: ast.Module) -> list[str]:
    """Return names that a file binds to values: neither functions nor classes."""
    statements = [s for s in tree.body if not isinstance(s, ast.FunctionDef | ast.ClassDef)]
    return [name for statement in statements for name in _bound(statement)]


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


def _kind_of(node: ast.AST, imported: dict[str, str], kept: dict[str, str]) -> str | None:
    if isinstance(node, ast.Global):
        return "keeps_state_elsewhere" if any(name in kept for name in node.names) else None
    if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
        return "keeps_state_elsewhere" if _owner(node) in kept else None
    if isinstance(node, ast.Attribute | ast.Name):
        full = _full_name(node, imported)
        if full == "os.environ":
            return "reads_undeclared"
        return _kind_of_name(full) if _owner(node) in imported else None
    return _kind_of_call(node, imported, kept) if isinstance(node, ast.Call) else None


def _kind_of_name(full: str) -> str | None:
    """Return what a function reaches for that is known by its full name, called or handed on."""
    last = full.rpartition(".")[2]
    ours = full.startswith("gexlab.") and (
        last.startswith(("read_", "load_")) or last in _READS_OURS
    )
    if ours or last in _READS or full in _READS_OF:
        return "reads_undeclared"
    return "reads_the_clock" if last in _CLOCK or full in _CLOCK_OF else None


def _kind_of_call(call: ast.Call, imported: dict[str, str], kept: dict[str, str]) -> str | None:
    full = _full_name(call.func, imported)
    last = full.rpartition(".")[2]
    if full == "setattr" and call.args and _owner(call.args[0]) in kept:
        return "keeps_state_elsewhere"
    if last in _WRITES or (last in _CHANGES and _is_container(call.func, kept)):
        return "keeps_state_elsewhere"
    if full == "getattr" and len(call.args) > 1:
        return _kind_of_choice(_full_name(call.args[0], imported), call.args[1])
    words = [each.value for each in call.args if isinstance(each, ast.Constant)]
    if words[:1] in (["now"], ["today"]):
        return "reads_the_clock"
    return _kind_of_name(full)


def _kind_of_choice(owner: str, name: ast.expr) -> str | None:
    """Return what `getattr` reaches for in a module: any name, where it is made up."""
    if isinstance(name, ast.Constant) and isinstance(name.value, str):
        return _kind_of_name(f"{owner}.{name.value}")
    arithmetic = owner.partition(".")[0] in _ARITHMETIC
    return "reads_undeclared" if owner in sys.modules and not arithmetic else None


def _is_container(method: ast.expr, kept: dict[str, str]) -> bool:
    """Return whether a method's object is one that another module holds, and can be changed."""
    if not isinstance(method, ast.Attribute) or _owner(method) not in kept:
        return False
    module, *names = _full_name(method.value, kept).split(".")
    thing: object = sys.modules.get(module)
    for name in names:
        thing = getattr(thing, name, None)
    return isinstance(thing, MutableMapping | MutableSequence | MutableSet)


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
