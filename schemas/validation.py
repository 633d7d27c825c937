"""What is wrong with a value, in words instead of msgspec's types and regular expressions. Pure.

What a type allows is read from its annotation: bounds, lengths and choices as they are declared. What a `pattern`
allows is said by the `description` beside it in `Meta`, which follows "must be": `an absolute path`.
"""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterable
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from schemas.rules import InvalidField

_MESSAGE = re.compile(r"(.*?)(?: - at `(?:key in `?)?\$([^`]*)`)?\Z", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[([^\]]*)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `([^`]*)`")
_MISSING = re.compile(r"Object missing required field `([^`]*)`")
_BYTE = re.compile(r"\(byte (\d+)\)")
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a string", type(None): "null"}
_KEY_CHARACTERS = 100


class _Place(NamedTuple):
    """A value inside a document and the type that it should have."""

    field: str
    value: Any
    type: Any


def invalid_field(error: msgspec.ValidationError, data: Any, type: Any, field: str = "") -> InvalidField:
    """Why `msgspec.convert(data, type)` raised `error`; `field` is the name of `data` itself, empty for a document."""
    match = _MESSAGE.match(str(error))
    reason, path = (match[1], match[2] or "") if match else (str(error), "")
    place = _Place(field, data, type)
    for name, index in _STEP.findall(path):
        place = _inside(place, name or index)
    unknown, missing = _UNKNOWN.match(reason), _MISSING.match(reason)
    fields = _fields(_container(place.type))
    if unknown:
        return InvalidField(
            _dotted(place.field, unknown[1]), None, f"unknown field; known fields are {_listed(fields, 'and')}"
        )
    if missing:
        name = missing[1]
        return InvalidField(_dotted(place.field, name), None, f"required; must be {allowed(fields.get(name, Any))}")
    plain = place.value if isinstance(place.value, bool | int | float | str) else None
    return InvalidField(place.field or "body", plain, f"must be {allowed(place.type)}")


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


def _fields(bare: Any) -> dict[str, Any]:
    """Field -> type of a Struct; empty for any other type."""
    if not (isinstance(bare, type) and issubclass(bare, Struct)):
        return {}
    return {field.encode_name: field.type for field in msgspec.structs.fields(bare)}


def _inside(place: _Place, step: str) -> _Place:
    """What is at `step` of a place: a field, an index, or `...`, by which msgspec names any entry of an object."""
    bare = _container(place.type)
    arguments, value = get_args(bare), place.value
    if isinstance(value, list) and step.isdigit() and arguments:
        return _Place(f"{place.field}[{step}]", value[int(step)], arguments[0])
    if isinstance(value, dict) and step == "..." and len(arguments) == 2:
        for key, entry in value.items():
            try:
                msgspec.convert(entry, arguments[1])
            except msgspec.ValidationError:
                return _Place(_dotted(place.field, str(key)[:_KEY_CHARACTERS]), entry, arguments[1])
        return place
    inner = value.get(step) if isinstance(value, dict) else None
    return _Place(_dotted(place.field, step), inner, _fields(bare).get(step, Any))
