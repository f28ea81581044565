"""Places in a source file where one operator, number or name can be wrong, and the wrong text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["OPERATORS", "Mutant", "mutants_of", "mutated"]

_COMPARE: dict[type[ast.cmpop], tuple[str, type[ast.cmpop]]] = {
    ast.Lt: ("boundary", ast.LtE),
    ast.LtE: ("boundary", ast.Lt),
    ast.Gt: ("boundary", ast.GtE),
    ast.GtE: ("boundary", ast.Gt),
    ast.Eq: ("equality", ast.NotEq),
    ast.NotEq: ("equality", ast.Eq),
    ast.Is: ("equality", ast.IsNot),
    ast.IsNot: ("equality", ast.Is),
    ast.In: ("equality", ast.NotIn),
    ast.NotIn: ("equality", ast.In),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_NAMES = {
    "min": "max",
    "max": "min",
    "minimum": "maximum",
    "maximum": "minimum",
    "any": "all",
    "all": "any",
    "ffill": "bfill",
    "floor": "ceil",
    "ceil": "floor",
}
OPERATORS = {
    "boundary": "< to <=, <= to <, > to >=, >= to >",
    "equality": "== to !=, is to is not, in to not in, and back",
    "arithmetic": "+ to -, * to /, // and ** to *, % to +, & to |, and back",
    "logic": "and to or, and back",
    "negation": "not and unary minus dropped",
    "number": "an integer plus 1, a fraction times 1.5, True to False, and back",
    "name": "min to max, any to all, floor to ceil, and back; ffill to bfill",
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One place and what stands there instead."""

    path: str
    function: str
    line: int
    start: int
    end: int
    operator: str
    old: str
    new: str

    @property
    def key(self) -> str:
        """Name that stays while lines move."""
        return f"{self.path}::{self.function}: {self.old} -> {self.new} [{self.operator}]"


class _Sites(ast.NodeVisitor):
    """Collect (node, operator, replacement) inside functions, messages and types left out."""

    def __init__(self) -> None:
        self.found: list[tuple[str, ast.expr, str, ast.expr]] = []
        self.scope: list[str] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Enter a function's body; its decorators and annotations are no computation."""
        self.scope.append(node.name)
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.visit(default)
        for statement in node.body:
            self.visit(statement)
        self.scope.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Enter a class's body: what its decorators are given is no computation."""
        self.scope.append(node.name)
        for statement in node.body:
            self.visit(statement)
        self.scope.pop()

    def visit_Raise(self, node: ast.Raise) -> None:
        """Leave messages alone."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Leave texts alone: positions inside them are not reliable before Python 3.12."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Visit the value, not the type."""
        if node.value is not None:
            self.visit(node.value)

    def _add(self, node: ast.expr, operator: str, new: ast.expr) -> None:
        if self.scope:
            self.found.append((".".join(self.scope), node, operator, new))

    def visit_Compare(self, node: ast.Compare) -> None:
        """Exchange each comparison."""
        for i, op in enumerate(node.ops):
            operator, other = _COMPARE[type(op)]
            ops = [*node.ops[:i], other(), *node.ops[i + 1 :]]
            self._add(node, operator, ast.Compare(node.left, ops, node.comparators))
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Exchange an arithmetic operator; joining texts is none."""
        other = _ARITHMETIC.get(type(node.op))
        texts = (ast.JoinedStr, ast.List, ast.Tuple)
        parts = (node.left, node.right)
        is_text = any(
            isinstance(p, texts) or (isinstance(p, ast.Constant) and isinstance(p.value, str))
            for p in parts
        )
        if other is not None and not is_text:
            self._add(node, "arithmetic", ast.BinOp(node.left, other(), node.right))
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        """Exchange and, or."""
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        self._add(node, "logic", ast.BoolOp(other, node.values))
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        """Drop not, minus, ~."""
        if isinstance(node.op, (ast.Not, ast.USub, ast.Invert)):
            self._add(node, "negation", node.operand)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Change numbers and truth values."""
        value = node.value
        if isinstance(value, bool):
            self._add(node, "number", ast.Constant(not value))
        elif isinstance(value, int):
            self._add(node, "number", ast.Constant(value + 1))
        elif isinstance(value, float):
            self._add(node, "number", ast.Constant(1.5 * value if value else 1.0))

    def visit_Call(self, node: ast.Call) -> None:
        """Exchange the names of extremes and quantifiers."""
        function = node.func
        if isinstance(function, ast.Name) and function.id in _NAMES:
            self._add(function, "name", ast.Name(_NAMES[function.id]))
        elif isinstance(function, ast.Attribute) and function.attr in _NAMES:
            self._add(function, "name", ast.Attribute(function.value, _NAMES[function.attr]))
        self.generic_visit(node)


def mutants_of(path: str, source: str) -> Iterator[Mutant]:
    """Yield each mutant of a source file, in order."""
    lines = source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    visitor = _Sites()
    visitor.visit(ast.parse(source))
    for function, node, operator, new in visitor.found:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        yield Mutant(
            path,
            function,
            node.lineno,
            start,
            end,
            operator,
            " ".join(ast.unparse(node).split()),
            " ".join(ast.unparse(ast.fix_missing_locations(new)).split()),
        )


def mutated(source: str, mutant: Mutant) -> str:
    """Return the source with the mutant in it."""
    data = source.encode()
    return (data[: mutant.start] + f"({mutant.new})".encode() + data[mutant.end :]).decode()
