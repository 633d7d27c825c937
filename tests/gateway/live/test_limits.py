"""How many may watch, and what one too many is told."""

from __future__ import annotations

from typing import Any

import pytest

from services.gateway.fleet.selection import Selection
from services.gateway.http.person import Person
from services.gateway.live.limits import Limits, TooMany, check, who
from tests.gateway.live.viewers import a_person
from tests.gateway.running import ANY, gateway, ready, watching
from tests.waiting import eventually

ALL, SLOW, SLOWEST = (Selection(None, None, interval_s) for interval_s in (1, 2, 60))
ANNA, BEN = a_person("anna"), a_person("ben")


def test_as_many_viewers_as_allowed_may_watch_whoever_they_are() -> None:
    check(Limits(viewers=2), [(ANNA, ALL)], BEN, ALL)
    with pytest.raises(TooMany) as refused:
        check(Limits(viewers=2), [(ANNA, ALL), (BEN, ALL)], a_person("carl"), ALL)
    assert (refused.value.scope, refused.value.limit) == ("viewers", 2)


def test_one_person_has_fewer_streams_than_all_together() -> None:
    limits = Limits(streams_per_person=2)
    check(limits, [(ANNA, ALL), (BEN, ALL)], ANNA, ALL)
    with pytest.raises(TooMany) as refused:
        check(limits, [(ANNA, ALL), (ANNA, ALL), (BEN, ALL)], ANNA, ALL)
    assert refused.value.scope == "streams"


def test_one_person_may_open_a_selection_again_but_not_one_more() -> None:
    limits = Limits(selections_per_person=2)
    watching = [(ANNA, ALL), (ANNA, SLOW), (BEN, SLOWEST)]
    check(limits, watching, ANNA, SLOW)
    check(limits, watching, BEN, SLOW)
    with pytest.raises(TooMany) as refused:
        check(limits, watching, ANNA, SLOWEST)
    assert refused.value.scope == "selections"


def test_people_without_a_login_are_told_apart_by_address() -> None:
    one, other = (Person("anonymous", "viewer", "anonymous", address) for address in ("10.0.0.1", "10.0.0.2"))
    assert who(one) != who(other)
    assert who(a_person("anna", address="10.0.0.1")) == who(a_person("anna", address="10.0.0.2"))


async def let_in(client: Any) -> bool:
    async with client.stream("GET", "/live") as response:
        return bool(response.status_code == 200)


@pytest.mark.parametrize(
    ("setting", "second", "third", "status", "kind"),
    [
        ("max_viewers", "", "", 503, "too-many-viewers"),
        ("max_viewers_per_person", "", "", 429, "too-many-streams"),
        ("max_selections_per_person", "interval=2", "interval=60", 429, "too-many-selections"),
    ],
)
async def test_one_too_many_is_told_why_and_when_to_try_again(
    database_url: str, bus_url: str, setting: str, second: str, third: str, status: int, kind: str
) -> None:
    async with gateway(database_url, bus_url) as client:
        await ready(client)
        await client.put(f"/settings/{setting}", json={"value": 2}, headers=ANY)

        async def refused() -> bool:
            async with watching(client), watching(client, second), client.stream("GET", f"/live?{third}") as one_more:
                if one_more.status_code == 200:
                    return False
                await one_more.aread()
                problem = one_more.json()
                assert (one_more.status_code, one_more.headers["retry-after"]) == (status, "30")
                assert problem["type"] == f"/problems/{kind}"
                assert setting in problem["detail"]
                return True

        await eventually(refused)
        await eventually(lambda: let_in(client))
