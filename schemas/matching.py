"""Which alerts, hosts and instances somebody means: patterns and tags, as silences, routes and rules have them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.messages import Severity

NO_NUL = r"^[^\x00]*\Z"  # JSON has NUL, PostgreSQL not
TEXT = "text without NUL characters"
HOST_GLOB = r"^[a-z0-9*?-]{1,40}\Z"
RULE_GLOB = HOST_GLOB
HostPattern = Annotated[
    str, Meta(pattern=HOST_GLOB, description="a host id, in which * stands for any characters and ? for one")
]
RulePattern = Annotated[
    str, Meta(pattern=RULE_GLOB, description="a rule id, in which * stands for any characters and ? for one")
]
Pattern = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=512,
        pattern=NO_NUL,
        description="text without NUL characters, in which * stands for any characters and ? for one",
    ),
]
Tag = Annotated[str, Meta(pattern=r"^[^\s,]{1,40}\Z", description="1 to 40 characters without spaces and commas")]
Tags = Annotated[list[Tag], Meta(max_length=20)]

HAS_NO_HOST = ""
"""The host of alerts that are about Sonde itself."""


class Matcher(Struct, frozen=True, forbid_unknown_fields=True):
    """Which alerts. All that is given must fit; of a list any one, of tags every one. Nothing given: all alerts."""

    hosts: Annotated[list[HostPattern], Meta(max_length=200)] = []
    tags: Tags = []
    """Each must be on the alert's host."""
    without_tags: Tags = []
    """None of them may be."""
    rules: Annotated[list[RulePattern], Meta(max_length=200)] = []
    instances: Annotated[list[Pattern], Meta(max_length=200)] = []
    severity: Literal["any", "warning", "critical"] = "any"
    """The severity that the alert has now."""
    about: Literal["all", "hosts", "sonde"] = "all"
    """`sonde`: only alerts that have no host, as they are about Sonde itself; `hosts`: only the others."""


class Subject(Struct, frozen=True):
    """What is matched: an alert, as far as matchers look at it."""

    host: str
    """Empty: it has none."""
    tags: frozenset[str]
    rule: str
    instance: str
    severity: Severity


def matches(matcher: Matcher, subject: Subject) -> bool:
    return not misfit(matcher, subject)


def misfit(matcher: Matcher, subject: Subject) -> str:
    """Why `subject` does not fit, in words; empty when it does."""
    if matcher.about != "all" and (matcher.about == "hosts") != bool(subject.host):
        return "it has no host" if matcher.about == "hosts" else "it is not about Sonde itself"
    if matcher.hosts and not any(fits(pattern, subject.host) for pattern in matcher.hosts):
        return f"host {subject.host or 'none'} is not {_either(matcher.hosts)}"
    if missing := [tag for tag in matcher.tags if tag not in subject.tags]:
        return f"its host has no tag {missing[0]}"
    if unwanted := [tag for tag in matcher.without_tags if tag in subject.tags]:
        return f"its host has the tag {unwanted[0]}"
    if matcher.rules and not any(fits(pattern, subject.rule) for pattern in matcher.rules):
        return f"rule {subject.rule} is not {_either(matcher.rules)}"
    if matcher.instances and not any(fits(pattern, subject.instance) for pattern in matcher.instances):
        return f"instance {subject.instance or 'none'} is not {_either(matcher.instances)}"
    if matcher.severity not in ("any", subject.severity):
        return f"it is {subject.severity}, not {matcher.severity}"
    return ""


def fits(pattern: str, text: str) -> bool:
    """Whether `text` fits `pattern`, in which * stands for any characters, none too, and ? for one."""
    if pattern in ("*", text):
        return True
    return ("*" in pattern or "?" in pattern) and _glob(pattern, text)


def covers(pattern: str, other: str) -> bool:
    """Whether everything that fits `other`, a pattern too, fits `pattern`; sure where it says so, not where not."""
    if not ("*" in other or "?" in other):
        return fits(pattern, other)
    return pattern == other or ("?" not in pattern and fits(pattern, other))


_HOST_GLOB = re.compile(HOST_GLOB)


def is_glob(text: str) -> bool:
    """Whether `text` is a pattern of host or rule ids, such as an id itself."""
    return _HOST_GLOB.match(text) is not None


@functools.lru_cache(maxsize=65536)
def _glob(pattern: str, text: str) -> bool:
    """In time that grows with the product of the lengths at most, which regular expressions do not promise."""
    at = now = 0
    star = back_to = -1
    while now < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, back_to = at, now
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[now]):
            at += 1
            now += 1
        elif star >= 0:  # the last star takes one character more
            back_to += 1
            at, now = star + 1, back_to
        else:
            return False
    return all(character == "*" for character in pattern[at:])


def _either(patterns: Iterable[str]) -> str:
    given = list(patterns)
    return " or ".join(given[:5]) + (f" or one of {len(given) - 5} more" if len(given) > 5 else "")
