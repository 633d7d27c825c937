"""Viewers of people who are made up."""

from __future__ import annotations

from typing import Any

from services.gateway.http.person import Person
from services.gateway.live.viewer import Viewer


def a_person(name: str = "anna", **known: Any) -> Person:
    return Person(name, "viewer", "session", **known)


def a_viewer(name: str = "anna", **known: Any) -> Viewer:
    """A viewer of that person, of whom `known` is known."""
    return Viewer(a_person(name, **known))
