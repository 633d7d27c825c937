"""Which instances of a family are sampled: by default, or by the patterns of the settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

_REMEMBERED = 500
"""Names whose verdict is kept; container interfaces come and go for ever."""


class Choice:
    """Tells whether an instance is wanted. The patterns may change while a collector holds it."""

    def __init__(self, by_default: Callable[[str], bool] = lambda name: True) -> None:
        self._by_default = by_default
        self._include: Sequence[str] = ()
        self._exclude: Sequence[str] = ()
        self._known: dict[tuple[str, ...], bool] = {}

    def use(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        """`exclude` wins; a name that `include` matches is wanted even when it is not by default."""
        if (include, exclude) != (self._include, self._exclude):
            self._include, self._exclude = include, exclude
            self._known = {}

    def __call__(self, name: str) -> bool:
        return self.any_of((name,))

    def any_of(self, names: tuple[str, ...]) -> bool:
        """Whether an instance is wanted that the patterns may call by any of `names`; by default the first counts."""
        known = self._known  # a thread may ask while the patterns change: what it decides is kept with the old ones
        wanted = known.get(names)
        if wanted is None:
            if len(known) >= _REMEMBERED:
                known.clear()
            wanted = known[names] = self._decide(names)
        return wanted

    def _decide(self, names: tuple[str, ...]) -> bool:
        if any(fnmatchcase(name, pattern) for name in names for pattern in self._exclude):
            return False
        if self._include:
            return any(fnmatchcase(name, pattern) for name in names for pattern in self._include)
        return self._by_default(names[0])

    def included(self, name: str) -> bool:
        """Whether the patterns themselves ask for an instance, whatever the default."""
        return bool(self._include) and self(name)
