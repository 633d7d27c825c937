"""The dashboard's TypeScript types: what the gateway's operations take and answer, and its events; and the catalogue.

`python -m infra.generate.typescript` writes `web/src/api/*.gen.ts`; a test fails when one of them has drifted.
"""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Struct, UnsetType

from infra.generate.declared import declared
from schemas import api, commands, enrolment, health, messages, people
from schemas.catalogue import CATALOGUE, Family, Metric
from schemas.overview import OVERVIEW, SUMMARY
from schemas.virtual import VIRTUAL, VirtualMetric
from services.gateway.http.jsonschemas import answer_types
from services.gateway.http.operations import Nothing

TARGET = Path(__file__).parents[2] / "web" / "src" / "api"
HEAD = "// Generated from operations and catalogue by `python -m infra.generate.typescript`. Do not edit."

ALIASES: dict[str, Any] = {
    "HostState": api.HostState,
    "Resolution": api.Resolution,
    "Muted": api.Muted,
    "UpdateState": api.UpdateState,
    "Ranking": api.Ranking,
    "AlertState": messages.AlertState,
    "Severity": messages.Severity,
    "TransitionKind": messages.TransitionKind,
    "TokenState": enrolment.TokenState,
    "HealthStatus": health.Status,
    "Values": api.Values,
    "Role": people.Role,
    "Scope": people.Scope,
    "Verb": commands.Verb,
}

METRIC_FIELDS = ("name", "label", "unit", "resolution", "meaning")

_SCALARS = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null", Any: "unknown"}


def expression(kind: Any) -> str:
    """The TypeScript type of a Python annotation. Raises TypeError for one that JSON has no word for."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    for name, alias in ALIASES.items():
        if kind == alias:
            return name
    return unnamed(kind)


def unnamed(kind: Any) -> str:
    """As `expression`, an alias spelled out."""
    if kind in _SCALARS:
        return _SCALARS[kind]
    if isinstance(kind, type) and issubclass(kind, Struct):
        return kind.__name__
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " | ".join(json.dumps(value) for value in arguments)
    if origin in (Union, types.UnionType):
        return " | ".join(expression(part) for part in arguments if part is not UnsetType)
    if origin in (list, tuple):
        inner = expression(arguments[0])
        return f"({inner})[]" if " " in inner else f"{inner}[]"
    if origin is dict:
        return f"Record<{expression(arguments[0])}, {expression(arguments[1])}>"
    raise TypeError(f"{kind!r}: no TypeScript type")


def interface(shape: type[Struct], omit: tuple[str, ...] = (), given: bool = False) -> str:
    """The interface of a Struct as it travels in JSON; a field that may be left out is optional.

    `given`: people send it, so whatever has a default may be left out.
    """
    given = given or shape.__struct_config__.omit_defaults
    lines = [f"export interface {shape.__name__} {{"]
    if shape.__struct_config__.tag is not None:
        lines.append(f"  {shape.__struct_config__.tag_field}: {json.dumps(shape.__struct_config__.tag)};")
    for field in msgspec.structs.fields(shape):
        if field.name in omit:
            continue
        optional = "?" if UnsetType in get_args(field.type) or (given and not field.required) else ""
        lines.append(f"  {field.encode_name}{optional}: {expression(field.type)};")
    return "\n".join([*lines, "}"])


def shapes_of(kinds: list[Any]) -> list[type[Struct]]:
    """Every Struct in `kinds`, by name, with those that it is made of. Raises TypeError for two of one name."""
    found: dict[str, type[Struct]] = {}
    waiting = list(kinds)
    while waiting:
        kind = waiting.pop()
        waiting += get_args(kind)
        if not (isinstance(kind, type) and issubclass(kind, Struct)) or found.get(kind.__name__) is kind:
            continue
        if kind.__name__ in found:
            raise TypeError(f"{kind.__module__} and {found[kind.__name__].__module__} both have a {kind.__name__}")
        found[kind.__name__] = kind
        waiting += [field.type for field in msgspec.structs.fields(kind)]
    found.pop(Nothing.__name__, None)
    return [found[name] for name in sorted(found)]


def literal(struct: Struct, *names: str) -> str:
    """Fields of `struct` as the inside of a TypeScript object literal."""
    return ", ".join(f"{name}: {json.dumps(getattr(struct, name), ensure_ascii=False)}" for name in names)


def metadata(catalogue: tuple[Family, ...]) -> str:
    """The catalogue as a constant: the labels, units and periods that the dashboard shows."""
    lines = ["export const CATALOGUE: Family[] = ["]
    for family in catalogue:
        lines.append(
            f"  {{ {literal(family, 'name', 'label', 'meaning', 'period_s', 'instance', 'sampled')}, metrics: ["
        )
        lines += [f"    {{ {literal(metric, *METRIC_FIELDS)} }}," for metric in family.metrics]
        lines.append("  ] },")
    return "\n".join([*lines, "];"])


def virtual() -> str:
    """Metrics that rules can be about although no host samples them."""
    lines = ["export const VIRTUAL: VirtualMetric[] = ["]
    lines += [f"  {{ {literal(metric, 'path', 'unit', 'meaning', 'about', 'instance')} }}," for metric in VIRTUAL]
    return "\n".join([*lines, "];"])


def paths(name: str, listed: tuple[str, ...]) -> str:
    """A list of metric paths as a constant."""
    return "\n".join([f"export const {name}: readonly string[] = [", *(f'  "{path}",' for path in listed), "];"])


def generated(catalogue: tuple[Family, ...] = CATALOGUE) -> dict[str, str]:
    """Name and content of every generated file."""
    shapes = [HEAD, *(f"export type {name} = {unnamed(kind)};" for name, kind in ALIASES.items())]
    shapes += [interface(shape, omit=("code", "column", "most")) for shape in (Metric, Family, VirtualMetric)]
    operations = declared()
    answered = shapes_of([api.Problem, *(kind for operation in operations for kind in answer_types(operation))])
    every = shapes_of([*answered, *(operation.body for operation in operations)])
    shapes += [interface(shape, given=shape not in answered) for shape in every]
    families = [
        HEAD,
        'import type { Family, VirtualMetric } from "./types.gen.ts";',
        metadata(catalogue),
        virtual(),
        paths("SUMMARY", SUMMARY),
        paths("OVERVIEW", OVERVIEW),
    ]
    return {"types.gen.ts": "\n\n".join(shapes) + "\n", "catalogue.gen.ts": "\n\n".join(families) + "\n"}


def main() -> None:
    for name, content in generated().items():
        (TARGET / name).write_text(content, encoding="utf-8")
        sys.stdout.write(f"wrote {TARGET / name}\n")


if __name__ == "__main__":
    main()
