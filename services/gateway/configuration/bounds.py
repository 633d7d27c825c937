"""What a TOML document may cost to parse, judged before it is parsed. Pure.

`tomllib` keeps every beginning of a dotted key, so one key of many parts takes memory by the square of their number;
numbers beyond some thousand digits cannot be shown.
"""

from __future__ import annotations

import re

MOST_PARTS = 8
"""Of one dotted key; the longest of Sonde's has six: agents.hosts.NAME.families.NAME.enabled."""
MOST_WORD = 1000
"""Characters of a bare key or a number."""
MOST_BRACKETS = 32
"""Arrays and inline tables inside one another."""

_QUOTED = re.compile(
    r'"""(?:(?:[^"\\]|\\.)*+"{1,2}(?!"))*(?:[^"\\]|\\.)*+(?:"{3,5})?'
    r"|'''.*?(?:'{3,5}|\Z)"
    r'|"(?:[^"\\\n]|\\.)*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+",
    re.DOTALL,
)
"""Strings and comments, as TOML ends them: one of many lines may have two quotes more before its three.

One without an end goes on, so that nothing is read again and again. Where `*+` repeats a group, no turn of it fails
after its first character: Python before 3.11.5 would go on behind that.
"""
_KEY = re.compile(rf"(?<![\w-])[\w-]++(?:[ \t]*+\.[ \t]*+[\w-]++){{{MOST_PARTS}}}")
_WORD = re.compile(rf"[\w+.-]{{{MOST_WORD + 1}}}")
_BRACKET = re.compile(r"[\[\]{}]")


def cost_fault(text: str) -> str:
    """Why `text` is not even parsed; empty when it may be."""
    bare = _QUOTED.sub(lambda found: "" if found[0].startswith("#") else "s", text)
    if _KEY.search(bare):
        return f"a key must have at most {MOST_PARTS} parts"
    if _WORD.search(bare):
        return f"a bare key or a number must have at most {MOST_WORD} characters"
    depth = 0
    for found in _BRACKET.finditer(bare):
        depth = max(0, depth + (1 if found[0] in "[{" else -1))
        if depth > MOST_BRACKETS:
            return f"arrays and inline tables must be nested at most {MOST_BRACKETS} deep"
    return ""
