"""The catalogue of problems against the code that raises them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import services.gateway
from infra.generate.declared import declared
from services.gateway.http.problemtypes import PROBLEM_TYPES

ROOM = Path(services.gateway.__file__).parent
CATALOGUE = ROOM / "http" / "problemtypes.py"


def nodes() -> Iterator[tuple[Path, ast.AST]]:
    for path in ROOM.rglob("*.py"):
        if path != CATALOGUE:
            for node in ast.walk(ast.parse(path.read_text())):
                yield path, node


def called(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def raised() -> set[str]:
    """Every type that the code names; the beginning of an f-string stands for all that begin so."""
    types = set()
    for _, node in nodes():
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.match(r"/problems/[a-z]", node.value):
            begun = {each for each in PROBLEM_TYPES if each.startswith(node.value)} if node.value[-1] == "-" else set()
            types |= begun or {node.value}
        if called(node, "unknown") and isinstance(node.args[0], ast.Constant):
            types.add(f"/problems/unknown-{node.args[0].value}")
    for operation in declared():
        for name in re.findall(r"{(\w+)}", operation.path):
            types.add(f"/problems/unknown-{name.replace('_', '-')}")
    return types


def test_every_problem_that_is_raised_is_in_the_catalogue_and_every_other_is_not() -> None:
    assert raised() == set(PROBLEM_TYPES)


def test_a_problem_is_raised_with_the_status_of_its_type() -> None:
    wrong = []
    for path, node in nodes():
        if not called(node, "ProblemError"):
            continue
        types = [word.value for word in node.keywords if word.arg == "type"]
        literal = types and isinstance(types[0], ast.Constant) and isinstance(node.args[0], ast.Constant)
        if literal and node.args[0].value != PROBLEM_TYPES[types[0].value].status:
            wrong.append(f"{path.name}:{node.lineno}: {types[0].value}")
    assert wrong == []


def test_titles_tell_types_apart() -> None:
    assert len({problem.title for problem in PROBLEM_TYPES.values()}) == len(PROBLEM_TYPES)
