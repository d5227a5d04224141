"""Small faults of a Python source, made on its syntax tree; `tests/mutate.py` runs the tests against them.

Never changed: docstrings, annotations, decorators, `__all__`, texts (f-strings and strings), warnings and log calls.
"""

from __future__ import annotations

import ast
import copy
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
SWAPPED = dict(
    pair
    for a, b in [("min", "max"), ("minimum", "maximum"), ("argmin", "argmax"), ("any", "all"), ("floor", "ceil")]
    for pair in [(a, b), (b, a)]
)
SILENT_CALLS = {"warn", "print", "debug", "info", "warning", "error", "exception", "cast", "TypeVar", "NewType"}
SILENT_KEYWORDS = {"strict"}  # of zip: it guards, and changes nothing in what is right
SMALL = 1e-6  # a tolerance rather than a quantity
OWN_BODY = (ast.If, ast.While, ast.For, ast.With, ast.Try, ast.FunctionDef, ast.ClassDef, ast.Match)


@dataclass(frozen=True)
class Mutant:
    """One fault: its place, the statement before and after, and the whole tree with it."""

    file: str
    index: int
    kind: str
    function: str
    line: int
    last_line: int
    before: str
    after: str
    tree: ast.Module = field(repr=False, compare=False)

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Key of a mutant that stays the same when lines move."""
        return self.file, self.function, self.before, self.after


@dataclass(frozen=True)
class Place:
    """Place of a node: the field of its parent, the innermost statement and the function around it."""

    parent: ast.AST
    field: str
    position: int | None
    statement: ast.stmt | None
    function: str
    parameters: tuple[str, ...]

    def put(self, node: ast.AST) -> None:
        """Put a node into this place."""
        if self.position is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.position] = node


Found = tuple[Place, ast.AST, str, ast.AST]  # place, the node that is there, kind of fault, the node to put there


def choose_mutants(source: str, file: str, seed: int, most: int | None) -> list[Mutant]:
    """Choose mutants of a source that compile and differ from it and each other; at most `most`, sorted by line.

    The draw depends on nothing but the seed, the name of the file and the index of each fault.
    """
    tree = ast.parse(source)
    found = list(_walk(tree))
    order = sorted(range(len(found)), key=lambda index: hashlib.sha256(f"{seed}:{file}:{index}".encode()).digest())
    chosen: dict[tuple[int, str, str], Mutant] = {}
    for index in order:
        mutant = _make(tree, file, index, found[index])
        if mutant is not None:
            chosen.setdefault((mutant.line, mutant.before, mutant.after), mutant)
        if most is not None and len(chosen) == most:
            break
    return sorted(chosen.values(), key=lambda mutant: (mutant.line, mutant.index))


def fault_keys(source: str, file: str) -> set[tuple[str, str, str, str]]:
    """The keys of all faults of a source, also of those that do not compile."""
    keys = set()
    for found in _walk(ast.parse(source)):
        place = found[0]
        before, after, _ = _texts(found)
        keys.add((file, place.function, before, after))
    return keys


def _texts(found: Found, tree: ast.Module | None = None) -> tuple[str, str, ast.Module | None]:
    """Return a statement before and after a fault, and a copy of the tree with the fault."""
    place, old, _, new = found
    statement = old if isinstance(old, ast.stmt) else place.statement
    assert isinstance(statement, ast.stmt)
    before = _header(statement)
    ast.copy_location(new, old)
    place.put(new)
    try:
        after = _header(new if statement is old and isinstance(new, ast.stmt) else statement)
        return before, after, tree and ast.fix_missing_locations(copy.deepcopy(tree))
    finally:
        place.put(old)


def _make(tree: ast.Module, file: str, index: int, found: Found) -> Mutant | None:
    """The mutant of one fault; None where it says the same or does not compile."""
    place, old, kind, _ = found
    statement = old if isinstance(old, ast.stmt) else place.statement
    assert isinstance(statement, ast.stmt)
    before, after, mutated = _texts(found, tree)
    assert mutated is not None
    try:
        compile(mutated, file, "exec")
    except (SyntaxError, ValueError):
        return None
    last = statement.body[0].lineno - 1 if isinstance(statement, OWN_BODY) and hasattr(statement, "body") else None
    last_line = max(statement.lineno, last or statement.end_lineno or 0)
    if after == before:
        return None
    return Mutant(file, index, kind, place.function, statement.lineno, last_line, before, after, mutated)


def _header(statement: ast.stmt) -> str:
    """A statement as text; of one with a body, its first line."""
    shallow = copy.copy(statement)
    if isinstance(shallow, OWN_BODY):
        for name, empty in (("body", [ast.Pass()]), ("orelse", []), ("decorator_list", [])):
            if hasattr(shallow, name):
                setattr(shallow, name, empty)
        return ast.unparse(ast.fix_missing_locations(shallow)).rsplit("\n", 1)[0]
    return ast.unparse(shallow)


def _walk(
    node: ast.AST, statement: ast.stmt | None = None, function: str = "", names: tuple[str, ...] = ()
) -> Iterator[Found]:
    """All faults of a tree, in the order of its source."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        function = f"{function}.{node.name}".lstrip(".")
    if isinstance(node, ast.FunctionDef):
        names = tuple(arg.arg for arg in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs])
    for name, position, child in _children(node):
        inner = child if isinstance(child, ast.stmt) else statement
        place = Place(node, name, position, inner, function, names)
        for kind, new in _faults(child, place):
            yield place, child, kind, new
        yield from _walk(child, inner, function, names)


def _children(node: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    """The children of a node that may be changed."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_comment", "ctx", "pattern", "op", "ops"):
            continue
        if isinstance(node, ast.AnnAssign | ast.Assign) and name in ("target", "targets"):
            continue
        for position, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST) and not _is_silent(child):
                yield name, position, child


def _is_silent(node: ast.AST) -> bool:
    """Return whether nothing within a node may be changed."""
    match node:
        case ast.JoinedStr() | ast.Import() | ast.ImportFrom():
            return True
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case ast.Expr(value=ast.Call() as call):
            return _is_silent(call)
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Compare(left=ast.Name(id="__name__"))):
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in SILENT_CALLS
        case ast.Subscript(value=ast.Name(id="Literal")):
            return True
        case ast.keyword(arg=name):
            return name in SILENT_KEYWORDS
    return False


def _faults(node: ast.AST, place: Place) -> Iterator[tuple[str, ast.AST]]:
    """(kind, replacement) of each fault of a node itself."""
    match node:
        case ast.stmt():
            yield from _of_statement(node, place)
        case ast.Compare():
            for i, op in enumerate(node.ops):
                for other in COMPARISONS[type(op)]:
                    yield "comparison", _with(node, ops=[*node.ops[:i], other(), *node.ops[i + 1 :]])
        case ast.BinOp():
            yield "arithmetic", _with(node, op=ARITHMETIC[type(node.op)]()) if type(node.op) in ARITHMETIC else node
        case ast.BoolOp():
            yield "and/or", _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not()):
            yield "not", node.operand
        case ast.UnaryOp(op=ast.USub(), operand=operand) if not isinstance(operand, ast.Constant):
            yield "sign", operand
        case ast.Call() | ast.Slice() | ast.Tuple() | ast.List() | ast.Set() | ast.Dict():
            yield from _of_group(node, place)
        case ast.Constant():
            yield from (("constant", ast.Constant(value)) for value in _other_values(node.value))
    if place.field == "test" or (place.field == "ifs" and isinstance(place.parent, ast.comprehension)):
        single = isinstance(node, ast.Compare) and len(node.ops) == 1
        if isinstance(node, ast.expr) and not single and not isinstance(node, ast.UnaryOp):
            yield "condition", ast.UnaryOp(ast.Not(), node)


def _of_statement(node: ast.stmt, place: Place) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.AugAssign():
            if type(node.op) in ARITHMETIC:
                yield "arithmetic", _with(node, op=ARITHMETIC[type(node.op)]())
            yield "deleted", ast.Pass()
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.Continue() | ast.Break():
            yield "deleted", ast.Pass()
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute()]):
            yield "deleted", ast.Pass()
        case ast.Return(value=ast.expr() as value):
            for name in [name for name in place.parameters if name not in ("self", "cls")][:1]:
                if ast.unparse(value) != name:
                    yield "return", ast.Return(ast.Name(name, ast.Load()))


def _of_group(node: ast.AST, place: Place) -> Iterator[tuple[str, ast.AST]]:
    """Swapped functions, bounds that are off by one, elements left out."""
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in SWAPPED:
            yield "swapped", _with(node, func=ast.Name(SWAPPED[name], ast.Load()))
        case ast.Call(func=ast.Attribute(attr=name) as func) if name in SWAPPED:
            yield "swapped", _with(node, func=_with(func, attr=SWAPPED[name]))
        case ast.Call(func=ast.Name(id="range")):
            stop = min(len(node.args) - 1, 1)
            yield "bound", _with(node, args=[*node.args[:stop], _shifted(node.args[stop], -1), *node.args[stop + 1 :]])
            if len(node.args) > 1:
                yield "bound", _with(node, args=[_shifted(node.args[0], 1), *node.args[1:]])
        case ast.Call(func=ast.Name(id="names"), args=[ast.Constant(value=str() as listed) as argument]):
            words = listed.split()
            for i in range(len(words)):
                left = _with(argument, value=" ".join(words[:i] + words[i + 1 :]))
                yield "word", _with(node, args=[left])
        case ast.Slice():
            for name, by in (("lower", 1), ("upper", -1)):
                bound = getattr(node, name)
                if bound is not None:
                    yield "bound", _with(node, **{name: _shifted(bound, by)})
        case ast.Tuple() | ast.List() | ast.Set() if _is_display(node, place):
            for i in range(len(node.elts)):
                yield "element", _with(node, elts=node.elts[:i] + node.elts[i + 1 :])
        case ast.Dict():
            for i in range(len(node.keys)):
                keys, values = node.keys[:i] + node.keys[i + 1 :], node.values[:i] + node.values[i + 1 :]
                yield "element", _with(node, keys=keys, values=values)


def _is_display(node: ast.Tuple | ast.List | ast.Set, place: Place) -> bool:
    """Return whether a display is data: no target, no index of several axes, not unpacked or returned as a record."""
    stored = not isinstance(node, ast.Set) and not isinstance(node.ctx, ast.Load)
    unpacked = isinstance(place.parent, ast.Subscript | ast.Return) and isinstance(node, ast.Tuple)
    assigned = isinstance(place.parent, ast.Assign) and isinstance(place.parent.targets[0], ast.Tuple)
    return not (stored or unpacked or assigned) and len(node.elts) > 1


def _other_values(value: object) -> Iterator[object]:
    match value:
        case bool():
            yield not value
        case int():
            yield from (value + 1, value - 1)
        case float() if abs(value) in (0.0, 1.0):
            yield from (1.0 - abs(value), 2.0)
        case float():
            yield float(f"{value * (1000 if abs(value) < SMALL else 2):.15g}")


def _shifted(bound: ast.expr, by: int) -> ast.expr:
    """A bound plus or minus one; a number is worked out, for a diff that reads well."""
    if isinstance(bound, ast.Constant) and isinstance(bound.value, int):
        return ast.Constant(bound.value + by)
    return ast.BinOp(bound, ast.Add() if by > 0 else ast.Sub(), ast.Constant(1))


def _with(node: ast.AST, **fields: Any) -> Any:
    """A shallow copy with other fields."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new
