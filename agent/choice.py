"""Which instances of a family are sampled: by default, or by the patterns of the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase

from agent.plan import FamilyPlan

_REMEMBERED = 500
"""Names whose verdict is kept; container interfaces come and go for ever."""


class Choice:
    """Tells whether an instance is wanted. The patterns may change while a collector holds it."""

    def __init__(self, by_default: Callable[[str], bool] = lambda name: True) -> None:
        self._by_default = by_default
        self._include: Sequence[str] = ()
        self._exclude: Sequence[str] = ()
        self._known: dict[str, bool] = {}

    def use(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        """`exclude` wins; a name that `include` matches is wanted even when it is not by default."""
        if (include, exclude) != (self._include, self._exclude):
            self._include, self._exclude = include, exclude
            self._known = {}

    def __call__(self, name: str) -> bool:
        wanted = self._known.get(name)
        if wanted is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            wanted = self._known[name] = self._decide(name)
        return wanted

    def _decide(self, name: str) -> bool:
        if any(fnmatchcase(name, pattern) for pattern in self._exclude):
            return False
        if self._include:
            return any(fnmatchcase(name, pattern) for pattern in self._include)
        return self._by_default(name)


def use_plan(choices: Mapping[str, Choice], families: Mapping[str, FamilyPlan]) -> None:
    """Let every choice follow its family's patterns."""
    for name, choice in choices.items():
        choice.use(families[name].include, families[name].exclude)
