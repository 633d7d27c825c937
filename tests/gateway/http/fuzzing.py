"""Requests that schemathesis makes from the served document, sent by people of each role, and what answers keep to.

Every request is made once and sent by all, the least role first, so that nobody finds done what they may not do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode, SerializationContext
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from schemas.people import RANKS, Role
from services.gateway.http.openapi import PREFIX
from services.gateway.http.problemtypes import BLANK, PROBLEM_TYPES

AWAY = (502, 503, 504)
"""Server errors that are declared: what an operation needs is away."""
METHODS = ("get", "post", "put", "patch", "delete")
TIMEOUT_S = 40
_SENT = ("method", "url", "params", "headers", "cookies", "data", "json")


@schemathesis.serializer("application/toml")
def as_toml(_: SerializationContext, value: object) -> bytes:
    """Any text, for a document of which the schema says no more."""
    return f"version = 1\n{value}".encode(errors="replace")


class Asker(NamedTuple):
    role: Role | None
    headers: Mapping[str, str]

    def may(self, least: Role | None) -> bool:
        return least is None or (self.role is not None and RANKS[self.role] >= RANKS[least])


class Fuzzing:
    """Askers, what exists for them to ask about, and a count of answers by role and status."""

    def __init__(
        self, document: Mapping[str, Any], base_url: str, askers: Sequence[Asker], existing: Mapping[str, Any]
    ) -> None:
        self.askers = askers
        self.existing = existing
        self.base_url = base_url
        self.counts: Counter[tuple[Role | None, int]] = Counter()
        self.done: Counter[str] = Counter()
        """How often each operation succeeded, by name such as `PUT /rules/{rule}`."""
        self._session = requests.Session()
        # Who asks is ours to say: without the schemes schemathesis makes up no credentials.
        components = {"schemas": document["components"]["schemas"]}
        self._schema = schemathesis.openapi.from_dict({**document, "components": components, "security": []})

    def run(self, most: int) -> None:
        """Send at most `most` well-formed requests and as many others to each operation, those that remove last."""
        operations = [found.ok() for found in self._schema.get_all_operations()]
        for operation in sorted(operations, key=lambda operation: METHODS.index(operation.method.lower())):
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                self._ask(operation, mode, most)

    def _ask(self, operation: APIOperation[Any, Any, Any], mode: GenerationMode, most: int) -> None:
        number = 0

        @seed(1)
        @settings(
            max_examples=most,
            derandomize=True,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def each(case: Case) -> None:
            nonlocal number
            number += 1
            if number % 2:
                known = {name: self.existing.get(name, value) for name, value in case.path_parameters.items()}
                case.path_parameters = known
            for asker in self.askers:
                self._send(case, asker)

        try:
            each()
        except Unsatisfiable:  # where nothing can be given, nothing can be given wrongly
            assert mode is GenerationMode.NEGATIVE, operation.label

    def _send(self, case: Case, asker: Asker) -> None:
        response = self._answer(case, asker.headers)
        self.counts[asker.role, response.status_code] += 1
        self.done[case.operation.label.replace(f" {PREFIX}", " ", 1)] += response.status_code < 300
        shown = f"{asker.role}: {case.as_curl_command()}\n{response.status_code} {response.text[:500]}"
        check_problem(response, shown)
        if asker.may(case.operation.definition.raw["x-role"]):
            checks = [status_code_conformance, content_type_conformance, response_schema_conformance]
            if response.status_code not in AWAY:
                checks.append(not_a_server_error)
            case.validate_response(response, checks=checks)
        else:
            check_refused(response, shown)

    def _answer(self, case: Case, headers: Mapping[str, str]) -> requests.Response:
        """The answer; of one that does not end, only its head."""
        made = case.as_transport_kwargs(base_url=self.base_url)
        made["headers"] = {**made["headers"], **headers}
        request = requests.Request(**{name: value for name, value in made.items() if name in _SENT})
        response = self._session.send(
            self._session.prepare_request(request), stream=True, timeout=TIMEOUT_S, allow_redirects=False
        )
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            response.close()
            response._content = b""
        return response


def check_problem(response: requests.Response, shown: str) -> None:
    """A problem is of the catalogue, with its status and title, and its words are for people."""
    if response.headers.get("content-type") != "application/problem+json":
        return
    problem = response.json()
    assert problem["status"] == response.status_code, shown
    assert problem["detail"], shown
    if problem["type"] != BLANK:
        known = PROBLEM_TYPES[problem["type"]]
        assert (problem["status"], problem["title"]) == (known.status, known.title), shown
    assert not re.search(r"Expected `|matching regex|object missing required", response.text), shown


def check_refused(response: requests.Response, shown: str) -> None:
    """Who may not is told so and nothing else, unless the request never came to the operation."""
    if response.status_code not in (401, 403):
        assert response.status_code in (404, 405, 413), shown
        assert response.json()["type"] in (BLANK, "/problems/too-large"), shown
