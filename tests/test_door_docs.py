"""What help() shows at a door: every parameter, what is returned, what is raised."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from functools import cache
from types import ModuleType
from typing import Any

import pytest

from gexlab.data.base.errors import GexlabError
from gexlab.data.quality.messages import CHECKS
from gexlab.data.quality.thresholds import Thresholds

ALL_DOORS = (
    "gexlab.data",
    "gexlab.data.simulate",
    "gexlab.strategies",
    "gexlab.backtest",
    "gexlab.backtest.hypotheses",
    "gexlab.reports",
    "gexlab.reports.cli",
)
#: Raise nothing, although a function that they call does for other arguments.
NEVER_RAISE = ("gexlab.data.worlds",)
#: Their fields are names of checks, which the catalogue explains.
FIELDS_ELSEWHERE: dict[type, object] = {Thresholds: CHECKS}


def sections(doc: str | None) -> dict[str, list[str]]:
    """Return the lines of each section of a numpydoc text; the summary under ""."""
    found: dict[str, list[str]] = {"": []}
    name, lines = "", inspect.cleandoc(doc or "").split("\n")
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if re.fullmatch("-{3,}", following):
            name = line.strip()
            found[name] = []
        elif not re.fullmatch("-{3,}", line):
            found[name].append(line)
    return found


def named_in(lines: list[str]) -> set[str]:
    """Return the names that a section of parameters or attributes describes."""
    heads = [line.split(" : ")[0] for line in lines if line and not line.startswith(" ")]
    return {name.strip().lstrip("*") for head in heads for name in head.split(",")}


def offered() -> Iterator[tuple[str, Any]]:
    """Yield everything that the doors offer, once."""
    seen = set()
    for door in ALL_DOORS:
        package = importlib.import_module(door)
        for name in package.__all__:
            value = getattr(package, name)
            if id(value) not in seen:
                seen.add(id(value))
                yield f"{door}.{name}", value


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the functions of the doors, and the public methods of their classes."""
    for where, value in offered():
        if inspect.isclass(value):
            for name, member in vars(value).items():
                method = getattr(member, "__func__", member)
                own = getattr(method, "__module__", "").startswith("gexlab.")
                own &= not any(hasattr(base, name) for base in value.__mro__[1:])
                if inspect.isfunction(method) and own and name[0] != "_":
                    yield f"{where}.{name}", method
        elif inspect.isroutine(value) or inspect.isfunction(inspect.unwrap(value, stop=None)):
            yield where, value


@cache
def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(inspect.getsource(module))


def raised_by(function: Callable[..., Any]) -> set[str]:
    """Return the errors of gexlab that a function raises itself or through its own module."""
    plain = inspect.unwrap(function)
    module = inspect.getmodule(plain)
    assert isinstance(module, ModuleType)
    helpers = {node.name: node for node in _tree(module).body if isinstance(node, ast.FunctionDef)}
    line = plain.__code__.co_firstlineno
    todo: list[ast.AST] = [
        node
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.FunctionDef)
        and line == min([node.lineno, *(d.lineno for d in node.decorator_list)])
    ]
    done: set[str] = set()
    errors: set[str] = set()
    while todo:
        for node in ast.walk(todo.pop()):
            if isinstance(node, ast.Raise) and node.exc is not None:
                made = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
                kind = getattr(module, made.id, None) if isinstance(made, ast.Name) else None
                if inspect.isclass(kind) and issubclass(kind, GexlabError):
                    errors.add(kind.__name__)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                name = node.func.id
                if name in helpers and name not in done:
                    done.add(name)
                    todo.append(helpers[name])
    return errors


FUNCTIONS = dict(functions())


def test_there_are_many() -> None:
    assert len(FUNCTIONS) > 200


@pytest.mark.parametrize("door", ALL_DOORS)
def test_docstrings_say_what_goes_in_comes_out_and_goes_wrong(door: str) -> None:
    for where, function in FUNCTIONS.items():
        if where.startswith(f"{door}."):
            _require_complete(where, function)


def _require_complete(where: str, function: Callable[..., Any]) -> None:
    found = sections(function.__doc__)
    assert found[""], f"{where} has no summary"
    signature = inspect.signature(function)
    taken = set(signature.parameters) - {"self", "cls"}
    assert named_in(found.get("Parameters", [])) == taken, where
    gives = signature.return_annotation not in (None, "None", "NoReturn")
    assert ("Returns" in found or "Yields" in found) == gives, f"{where}: Returns"
    if where not in NEVER_RAISE:
        assert "Raises" in found or not raised_by(function), f"{where}: {raised_by(function)}"


def described(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the head of each entry of a section, and what stands below it."""
    head, text = "", ""
    for line in lines:
        if line and not line.startswith(" "):
            if head:
                yield head, text
            head, text = line, ""
        else:
            text += f" {line.strip()}"
    if head:
        yield head, text


def words(text: str) -> set[str]:
    """Return the words of a text without articles, plurals as their singular."""
    found = re.findall("[a-z]+", text.lower().replace("_", " "))
    return {word.rstrip("s") for word in found} - {"the", "a", "an", "of", "or", ""}


def test_no_description_repeats_the_name_alone() -> None:
    stubs = [
        (where, head, text)
        for where, function in FUNCTIONS.items()
        for name, lines in sections(function.__doc__).items()
        if name in ("Parameters", "Returns", "Yields")
        for head, text in described(lines)
        if words(text) and words(text) <= words(head)
    ]
    assert not stubs


def test_every_field_of_a_value_is_described() -> None:
    silent = []
    for where, value in offered():
        if not (inspect.isclass(value) and dataclasses.is_dataclass(value)):
            continue
        found = sections(value.__doc__)
        known = named_in(found.get("Attributes", []) + found.get("Parameters", []))
        own = set(vars(value).get("__annotations__", {}))
        fields = {f.name for f in dataclasses.fields(value) if f.init and f.name[0] != "_"} & own
        if value in FIELDS_ELSEWHERE:
            assert fields == set(CHECKS)
        elif fields - known:
            silent.append((where, sorted(fields - known)))
    assert not silent
