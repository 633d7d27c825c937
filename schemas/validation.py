"""What is wrong with a value, in words instead of msgspec's types and regular expressions. Pure.

What a type allows is read from its annotation: bounds, lengths and choices as they are declared. What a `pattern`
allows is said by the `description` beside it in `Meta`, which follows "must be": `an absolute path`.
"""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import FieldInfo

from schemas.rules import InvalidField

SECRET = "secret"  # noqa: S105  (the name of a mark)
"""Key of `Meta.extra` that marks a type whose values no answer repeats: `Meta(extra={SECRET: True})`."""
_BYTE = re.compile(r"\(byte (\d+)\)")
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a string", type(None): "null"}
_KEY_CHARACTERS = 100
MOST_FAULTS = 50
"""Of one document; a body may have thousands of wrong fields, and nobody reads as many."""


def invalid_fields(data: Any, type: Any, field: str = "") -> list[InvalidField]:
    """Everything for which `msgspec.convert(data, type)` fails, up to `MOST_FAULTS`; empty when it does not.

    `field` is the name of `data` itself, empty for a document.
    """
    return list(islice(_faults(data, type, field), MOST_FAULTS))


def _faults(data: Any, type: Any, field: str) -> Iterator[InvalidField]:
    try:
        msgspec.convert(data, type)
    except msgspec.ValidationError:
        variants = _variants(type)
        if variants and isinstance(data, dict):
            yield from _variant_faults(data, variants, field)
            return
        inside = _faults_inside(data, _container(type), field)
        first = next(inside, None)
        if first is not None:
            yield from chain([first], inside)
            return
        shown = data if isinstance(data, bool | int | float | str) and not is_secret(type) else None
        yield InvalidField(field or "body", shown, f"must be {allowed(type)}")


def _faults_inside(data: Any, bare: Any, field: str) -> Iterator[InvalidField]:
    """What is wrong with the parts of `data`, each on its own."""
    kind, arguments = get_origin(bare), get_args(bare)
    if isinstance(data, dict) and _is_struct(bare):
        yield from _struct_faults(data, bare, field)
    elif isinstance(data, list) and kind is list:
        for index, entry in enumerate(data):
            yield from _faults(entry, arguments[0], f"{field}[{index}]")
    elif isinstance(data, dict) and kind is dict:
        for key, entry in data.items():
            yield from _faults(entry, arguments[1], _dotted(field, str(key)[:_KEY_CHARACTERS]))


def _struct_faults(data: dict[str, Any], bare: type[Struct], field: str) -> Iterator[InvalidField]:
    fields = _fields(bare)
    for name, each in fields.items():
        if name in data:
            yield from _faults(data[name], each.type, _dotted(field, name))
        elif each.required:
            yield InvalidField(_dotted(field, name), None, f"required; must be {allowed(each.type)}")
    if bare.__struct_config__.forbid_unknown_fields:
        remedy = f"unknown field; known fields are {_listed(fields, 'and')}"
        for name in filter(lambda name: name not in fields and name != bare.__struct_config__.tag_field, data):
            yield InvalidField(_dotted(field, name[:_KEY_CHARACTERS]), None, remedy)


def _variants(type: Any) -> dict[Any, Any]:
    """The Structs of a union by their tags; empty for any other type."""
    bare, _ = _annotated(type)
    if get_origin(bare) not in (Union, types.UnionType):
        return {}
    structs = [part for part in get_args(bare) if _is_struct(part) and part.__struct_config__.tag is not None]
    return {part.__struct_config__.tag: part for part in structs}


def _variant_faults(data: dict[str, Any], variants: dict[Any, Any], field: str) -> Iterator[InvalidField]:
    """What is wrong with the one of `variants` that `data` says it is."""
    name = next(iter(variants.values())).__struct_config__.tag_field
    tag = data.get(name)
    chosen = variants.get(tag) if isinstance(tag, str) else None
    if chosen is not None:
        yield from _struct_faults(data, chosen, field)
        return
    remedy = f"must be one of {_listed(map(json.dumps, variants), 'or')}"
    shown = tag[:_KEY_CHARACTERS] if isinstance(tag, str) else None
    yield InvalidField(_dotted(field, name), shown, remedy if name in data else f"required; {remedy}")


def is_secret(type: Any) -> bool:
    """Whether values of `type` are not to be repeated: it is marked as `SECRET`, or has a field that is."""
    bare, rules = _annotated(type)
    if any((rule.extra or {}).get(SECRET) for rule in rules):
        return True
    parts = get_args(bare) if get_origin(bare) in (Union, types.UnionType) else ()
    return any(map(is_secret, (*parts, *(each.type for each in _fields(bare).values()))))


def json_fault(error: Exception) -> str:
    """Why a text is no JSON document: `error` is what msgspec raised on decoding it."""
    if isinstance(error, RecursionError):
        return "JSON is nested too deeply"
    at = _BYTE.search(str(error))
    if at:
        return f"invalid JSON at byte {at[1]}"
    if "truncated" in str(error):
        return "JSON is empty or incomplete"
    if "out of range" in str(error):
        return "JSON has a number that is too large"
    return "invalid JSON, or not encoded in UTF-8"


def allowed(type: Any) -> str:
    """The values that an annotation allows, to follow "must be": `a whole number from 1 to 3650`."""
    bare, rules = _annotated(type)
    origin, arguments = get_origin(bare), get_args(bare)
    variants = _variants(type)
    if variants:
        name = next(iter(variants.values())).__struct_config__.tag_field
        return f"an object whose field {name} is {_listed(map(json.dumps, variants), 'or')}"
    if origin in (Union, types.UnionType):
        return ", or ".join(map(allowed, arguments))
    if origin is Literal:
        return ("one of " if len(arguments) > 2 else "") + _listed(map(json.dumps, arguments), "or")
    described = next((rule.description for rule in rules if rule.description), "")
    if bare is str:
        length = _span([rule.min_length for rule in rules], [rule.max_length for rule in rules])
        if described:
            return f"{described} ({length} characters)" if length else described
        return f"a string of {length} characters" if length else "a string"
    if described:
        return described
    if bare in (int, float):
        return f"{_WORDS[bare]} {_bounds(rules)}".rstrip()
    if (origin or bare) is list:
        return f"a list, each entry {allowed(arguments[0])}" if arguments else "a list"
    fields = _fields(bare)
    if fields:
        return f"an object with the fields {_listed(fields, 'and')}"
    return "an object" if (origin or bare) is dict else _WORDS.get(bare, "a JSON value")


def _bounds(rules: list[Meta]) -> str:
    above, below = _given(rule.gt for rule in rules), _given(rule.lt for rule in rules)
    span = _span([rule.ge for rule in rules], [rule.le for rule in rules])
    parts = [
        f"{'from' if ' to ' in span else 'of'} {span}" if span else "",
        f"above {_number(above)}" if above is not None else "",
        f"below {_number(below)}" if below is not None else "",
    ]
    return " and ".join(filter(None, parts))


def _span(least: Iterable[float | None], most: Iterable[float | None]) -> str:
    low, high = _given(least), _given(most)
    if low is not None and high is not None:
        return f"{_number(low)} to {_number(high)}"
    if low is not None:
        return f"at least {_number(low)}"
    return "" if high is None else f"at most {_number(high)}"


def _given(bounds: Iterable[float | None]) -> float | None:
    return next((bound for bound in bounds if bound is not None), None)


def _number(bound: float) -> str:
    return str(int(bound) if bound == int(bound) else bound)


def _listed(words: Iterable[str], last: str) -> str:
    """`a, b and c`."""
    every = list(words)
    return f" {last} ".join(filter(None, (", ".join(every[:-1]), *every[-1:])))


def _dotted(field: str, name: str) -> str:
    return f"{field}.{name}".lstrip(".")


def _annotated(type: Any) -> tuple[Any, list[Meta]]:
    if get_origin(type) is not Annotated:
        return type, []
    bare, *rules = get_args(type)
    return bare, [rule for rule in rules if isinstance(rule, Meta)]


def _container(type: Any) -> Any:
    """A type without its annotations and without `None` beside it."""
    bare, _ = _annotated(type)
    if get_origin(bare) in (Union, types.UnionType):
        return _container(next(each for each in get_args(bare) if each is not types.NoneType))
    return bare


def _is_struct(bare: Any) -> bool:
    return isinstance(bare, type) and issubclass(bare, Struct)


def _fields(bare: Any) -> dict[str, FieldInfo]:
    """The fields of a Struct by the name they have in JSON; empty for any other type."""
    return {field.encode_name: field for field in msgspec.structs.fields(bare)} if _is_struct(bare) else {}
