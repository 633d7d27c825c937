"""JSON Schemas of the types that operations name; Structs are components that others refer to. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from schemas.api import Problem
from services.gateway.http.operations import Media, Operation

_REF = "#/components/schemas/{name}"


class Schemas:
    def __init__(self, operations: Iterable[Operation]) -> None:
        types: list[Any] = [Problem, str]
        for operation in operations:
            types += named_types(operation)
        self._types = list(dict.fromkeys(types))
        schemas, components = msgspec.json.schema_components(self._types, ref_template=_REF)
        self._schemas = [_ecma(schema) for schema in schemas]
        self.components = {name: _ecma(schema) for name, schema in sorted(components.items())}

    def of(self, type: Any) -> dict[str, Any]:
        return dict(self._schemas[self._types.index(type)])


def named_types(operation: Operation) -> list[Any]:
    """What it answers, its body and its parameters are of."""
    return [
        *answer_types(operation),
        *([] if operation.body is None or isinstance(operation.body, Media) else [operation.body]),
        *(parameter.type for parameter in operation.parameters.values()),
        *operation.path_types.values(),
    ]


def answer_types(operation: Operation) -> list[Any]:
    """What it answers, and the data of the events that it streams."""
    types: list[Any] = []
    for answer in operation.answers.values():
        if isinstance(answer, Media):
            types += answer.events.values()
        elif answer is not None:
            types.append(answer)
    return types


def _ecma(schema: Any) -> Any:
    """`schema` with its patterns as ECMA-262 has them."""
    if isinstance(schema, dict):
        return {
            key: ecma_pattern(value) if key == "pattern" and isinstance(value, str) else _ecma(value)
            for key, value in schema.items()
        }
    return [_ecma(each) for each in schema] if isinstance(schema, list) else schema


def ecma_pattern(pattern: str) -> str:
    r"""A pattern of ours in JavaScript's words: \A and \Z are ^ and $ there, which Python's $ is not."""
    return re.sub(r"\\A", "^", re.sub(r"\\Z", "$", pattern))
