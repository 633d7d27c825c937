"""The book of timelines: what happened and who was told when, played through the real judge and planner."""

from __future__ import annotations

import pytest

from tests.book.reading import CHAPTERS, Timeline, play, timelines

STORIES = {f"{chapter.stem}: {story.title}": story for chapter in CHAPTERS for story in timelines(chapter)}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_timeline(story: Timeline) -> None:
    assert play(story) == story.told


def test_the_book_has_sixty_timelines_and_more() -> None:
    assert len(STORIES) >= 60
