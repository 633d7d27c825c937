"""docs/api.md from the gateway's operations, and the table of problems in docs/http.md.

`python -m infra.generate.apidocs` writes them, a test fails if they are stale.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.generate.declared import declared, declared_at_root
from services.gateway.http.openapi import PREFIX, document
from services.gateway.http.problemtypes import PROBLEM_TYPES

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "api.md"
GUIDE = DOCS / "http.md"
BEGIN, END = "<!-- problems: written by infra.generate.apidocs -->\n", "<!-- end of problems -->\n"

INTRODUCTION = """\
# API

Every operation below `/api/v1`, and at the end those outside it, made from what the gateway declares; the guide is
[http.md](http.md). A gateway has the same as OpenAPI 3.1 under `/api/v1/openapi.json`, with all fields of all bodies,
and a page to try it at `/api`.

*Role* is the least one that may: viewer, operator or admin; *nobody*: no login is needed. Besides its own, every
answer may be a [problem](http.md#problems).
"""
NOBODY = "nobody"
OUTSIDE = f"outside {PREFIX}"


def page() -> str:
    """The whole page."""
    described = document(declared(), declared_at_root())
    by_tag: dict[str, list[str]] = {}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            section = operation["tags"][0] if path.startswith(PREFIX) else OUTSIDE
            shown = path.removeprefix(PREFIX)
            by_tag.setdefault(section, []).append(_operation(method.upper(), shown, operation))
    sections = [f"## {tag[0].upper()}{tag[1:]}\n\n{''.join(listed)}" for tag, listed in by_tag.items()]
    return "\n".join([INTRODUCTION, *sections]).rstrip() + "\n"


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    lines = [f"### `{method} {path}`", "", f"{operation['summary']}. Role: {operation['x-role'] or NOBODY}."]
    if "x-scopes" in operation:
        lines[-1] += f" A restricted token needs the scopes {', '.join(operation['x-scopes'])}."
    if "description" in operation:
        lines += ["", operation["description"]]
    parameters = [each for each in operation.get("parameters", ()) if each["in"] != "path"]
    if parameters:
        lines += ["", "| parameter | type | default | meaning |", "|---|---|---|---|", *map(_parameter, parameters)]
    lines += ["", *_body(operation), _answers(operation)]
    return "\n".join(lines) + "\n\n"


def _parameter(parameter: Mapping[str, Any]) -> str:
    schema = parameter["schema"]
    default = f"`{schema['default']}`" if schema.get("default", "") != "" else ""
    default = "required" if parameter["required"] else default
    meaning = parameter.get("description", "").replace("|", "\\|")
    name = f"`{parameter['name']}`" + (" (header)" if parameter["in"] == "header" else "")
    return f"| {name} | {type_words(schema)} | {default} | {meaning} |"


def _body(operation: Mapping[str, Any]) -> list[str]:
    body = operation.get("requestBody")
    if body is None:
        return []
    optional = "" if body["required"] else ", optional"
    content = {kind: each["schema"] for kind, each in body["content"].items()}
    return [f"Body{optional}: {_content(content)}.", ""]


def _answers(operation: Mapping[str, Any]) -> str:
    answers = []
    for status, response in operation["responses"].items():
        content = {kind: each["schema"] for kind, each in response.get("content", {}).items()}
        problem = content.pop("application/problem+json", None)
        if content:
            answers.append(f"{status} {_content(content)}")
        elif problem is None:
            answers.append(f"{status} without a body")
    return f"Answers: {'; '.join(answers)}."


def _content(content: Mapping[str, Any]) -> str:
    if "application/json" in content:
        return type_words(content["application/json"])
    return " or ".join(f"`{kind}`" for kind in content)


def type_words(schema: Mapping[str, Any]) -> str:
    """A JSON Schema in a few words."""
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    for either in ("anyOf", "oneOf"):
        if either in schema:
            return " or ".join(map(type_words, schema[either]))
    kind = schema.get("type", "any JSON")
    if kind == "array":
        return f"list of {type_words(schema.get('items', {}))}"
    return f"{kind}{_bounds(schema)}"


def _bounds(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is None and most is None:
        return ""
    if most is None:
        return f" from {least:g}"
    return f" up to {most:g}" if least is None else f" {least:g} to {most:g}"


def problems() -> str:
    """The table of every type of problem, by status."""
    rows = sorted(PROBLEM_TYPES.items(), key=lambda item: (item[1].status, item[0]))
    lines = [f"| {each.status} | `{name.rpartition('/')[2]}` | {each.title} | {each.meaning} |" for name, each in rows]
    return "\n".join(["| status | type below `/problems/` | title | meaning |", "|---|---|---|---|", *lines]) + "\n"


def with_problems(guide: str) -> str:
    """The guide with its table of problems as it is now. Raises ValueError without the table's marks."""
    if BEGIN not in guide or END not in guide:
        raise ValueError(f"docs/http.md has no {BEGIN.strip()} and {END.strip()}")
    before, _, rest = guide.partition(BEGIN)
    return f"{before}{BEGIN}\n{problems()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    GUIDE.write_text(with_problems(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE} and the problems in {GUIDE}\n")
