"""Every route with what it must refuse: the status, the problem document, and the field that is to blame."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec

from schemas.api import Problem
from schemas.rules import Rule, Threshold
from tests.gateway.rows import put
from tests.gateway.running import ANY, gateway

RULE: Any = msgspec.to_builtins(Rule("hot", "Too hot", "gpu.temperature", critical=Threshold(90, 85)))
CRITICAL = "critical.raise_at"
AT_MS = 1_795_219_200_000

QUERIES = [
    ("/hosts/web-9", 404, ""),
    ("/hosts/web-9/series?metrics=cpu.total", 404, ""),
    ("/hosts/web-9/stats?metrics=cpu.total", 404, ""),
    ("/hosts/WEB..1", 404, ""),
    ("/nothing", 404, ""),
    ("/hosts/web-1/series", 400, "metrics"),
    ("/hosts/web-1/series?metrics=", 400, "metrics"),
    ("/hosts/web-1/series?metrics=cpu.nothing", 400, "metrics"),
    ("/hosts/web-1/series?metrics=cpu.total%22%20FROM%20hosts--", 400, "metrics"),
    ("/hosts/web-1/series?metrics=cpu.total;", 400, "metrics"),
    ("/hosts/web-1/series?metrics=" + ",".join(["cpu"] * 30 + ["x"]), 400, "metrics"),
    ("/hosts/web-1/series?metrics=cpu.total&points=0", 400, "points"),
    ("/hosts/web-1/series?metrics=cpu.total&points=5001", 400, "points"),
    ("/hosts/web-1/series?metrics=cpu.total&points=1e3", 400, "points"),
    ("/hosts/web-1/series?metrics=cpu.total&points=", 400, "points"),
    ("/hosts/web-1/series?metrics=cpu.total&from=yesterday", 400, "from"),
    ("/hosts/web-1/series?metrics=cpu.total&from=-1h&to=-2h", 400, "from"),
    ("/hosts/web-1/series?metrics=cpu.total&to=99999999999999", 400, "to"),
    ("/hosts/web-1/stats?metrics=cpu.total&from=0", 400, "from"),
    ("/hosts/web-1/stats?metrics=cpu.total,none", 400, "metrics"),
    ("/hosts/web-1/series?metrics=cpu.total&instance=%00", 400, "instance"),
    ("/hosts/web-1/series?metrics=cpu.total&instance=" + "x" * 301, 400, "instance"),
    ("/hosts/web-1/series?metrics=cpu.total&instance=eth0", 400, "instance"),
    ("/hosts/web-1/series?metrics=cpu.total,network.sent&instance=eth0", 400, "instance"),
    ("/hosts/web-1/stats?metrics=cpu.total&instance=eth0", 400, "instance"),
    ("/hosts/web-1/export?metrics=cpu.total&instance=eth0", 400, "instance"),
    ("/series?metric=cpu.total&instance=eth0", 400, "instance"),
    ("/hosts/web-1%00/series?metrics=cpu.total", 404, ""),
    ("/hosts/web-1/stats?metrics=cpu.total&instance=%00", 400, "instance"),
    ("/hosts/web-1/stats?metrics=cpu.total&to=-400d", 400, "from"),
    ("/hosts/web-9/export?metrics=cpu.total", 404, ""),
    ("/hosts/web-1%22%0d%0aX:/export?metrics=cpu.total", 404, ""),
    ("/hosts/web-1/export", 400, "metrics"),
    ("/hosts/web-1/export?metrics=cpu.nothing", 400, "metrics"),
    ("/hosts/web-1/export?metrics=cpu&format=xml", 400, "format"),
    ("/hosts/web-1/export?metrics=cpu&resolution=second", 400, "resolution"),
    ("/hosts/web-1/export?metrics=cpu&from=now", 400, "from"),
    ("/hosts/web-1/export?metrics=cpu&instance=%00", 400, "instance"),
    ("/series", 400, "metric"),
    ("/series?metric=cpu", 400, "metric"),
    ("/series?metric=cpu.total,cpu.user", 400, "metric"),
    ("/series?metric=cpu.total&hosts=No", 400, "hosts"),
    ("/series?metric=cpu.total&hosts=web-1,web-9", 400, "hosts"),
    ("/series?metric=cpu.total&top=0", 400, "top"),
    ("/series?metric=cpu.total&top=101", 400, "top"),
    ("/series?metric=cpu.total&top=5&by=median", 400, "by"),
    ("/series?metric=cpu.total&by=max", 400, "by"),
    ("/series?metric=cpu.total&points=0", 400, "points"),
    ("/series?metric=cpu.total&instance=%00", 400, "instance"),
    ("/series?metric=cpu.total&from=-1h&to=-2h", 400, "from"),
    ("/hosts?hosts=web-1", 400, "hosts"),
    ("/hosts/web-1/series?metrics=cpu.total&metric=cpu.user", 400, "metric"),
    ("/hosts/web-1/series?metrics=cpu.total&points=1&points=2", 400, "points"),
    ("/rules?limit=1", 400, "limit"),
    ("/rules/%00", 404, ""),
    ("/alerts?state=some", 400, "state"),
    ("/alerts?limit=0", 400, "limit"),
    ("/alerts?limit=-1", 400, "limit"),
    ("/live?interval=0", 400, "interval"),
    ("/live?interval=0.1", 400, "interval"),
    ("/live?metrics=nothing", 400, "metrics"),
    ("/live?hosts=No", 400, "hosts"),
    ("/live?detail=No", 400, "detail"),
    ("/live?detail=" + ",".join(f"web-{k}" for k in range(33)), 400, "detail"),
    ("/hosts?metrics=cpu.nothing", 400, "metrics"),
    ("/settings/nothing", 404, ""),
    ("/rules/nothing", 404, ""),
]

BODIES = [
    ("POST", "/rules", {**RULE, "metric": "cpu.nothing"}, "metric"),
    ("POST", "/rules", {**RULE, "id": "Not an id"}, "id"),
    ("POST", "/rules", {**RULE, "for_s": -1}, "for_s"),
    ("POST", "/rules", {**RULE, "name": ""}, "name"),
    ("POST", "/rules", {**RULE, "surprise": 1}, "surprise"),
    ("POST", "/rules", {k: v for k, v in RULE.items() if k != "metric"}, "metric"),
    ("POST", "/rules", {**RULE, "critical": {"raise_at": "90", "clear_at": 85}}, "critical.raise_at"),
    ("POST", "/rules", {**RULE, "critical": {"raise_at": 90, "clear_at": 95}}, "critical.clear_at"),
    ("POST", "/rules", {**RULE, "critical": {"raise_at": 90}}, "critical.clear_at"),
    ("POST", "/rules", {**RULE, "critical": None}, "critical"),
    ("POST", "/rules", {**RULE, "comparison": "equal"}, "comparison"),
    ("POST", "/rules", {**RULE, "runbook_url": "javascript:alert(1)"}, "runbook_url"),
    ("POST", "/rules", {**RULE, "metric": "cpu.total", "instance": "eth0"}, "instance"),
    ("POST", "/rules", {**RULE, "metric": "host.down", "instance": "web-1"}, "instance"),
    ("POST", "/rules", {**RULE, "metric": "host.down", "critical": {"raise_at": -5, "clear_at": -5}}, CRITICAL),
    ("POST", "/rules", {**RULE, "metric": "cpu.total", "critical": {"raise_at": 900, "clear_at": 85}}, CRITICAL),
    ("POST", "/rules", [], "body"),
    ("PUT", "/rules/cold", RULE, "id"),
    ("POST", "/incidents/1/acknowledge", {"until": "tomorrow"}, "until"),
    ("POST", "/incidents/1/notes", {"text": ""}, "text"),
    ("POST", "/incidents/bulk", {"change": "note", "incidents": []}, "incidents"),
    ("POST", "/silences", {"match": {"hosts": "web-1"}, "for_s": 60}, "match.hosts"),
    ("POST", "/silences", {"match": {}, "for_s": 1}, "for_s"),
    ("POST", "/routes", {"id": "a", "name": "A"}, "channels"),
    ("POST", "/channels", {"id": "a", "name": "A", "target": {"kind": "pigeon"}}, "target.kind"),
    ("PUT", "/settings/raw_days", {"value": 0}, "value"),
    ("PUT", "/settings/raw_days", {"value": "7"}, "value"),
    ("PUT", "/settings/raw_days", {"value": 7, "more": 1}, "more"),
    ("PUT", "/settings/raw_days", {}, "value"),
    ("PUT", "/settings/dashboard_url", {"value": "javascript:alert(1)"}, "value"),
    ("PUT", "/settings/heartbeat_url", {"value": "http://a\0b"}, "value"),
    ("POST", "/rules", {**RULE, "name": "a\0b"}, "name"),
    ("POST", "/rules", {**RULE, "instance": "a\0b"}, "instance"),
    ("POST", "/rules", {**RULE, "runbook_url": "http://a\0b"}, "runbook_url"),
]

METHODS = [
    ("PUT", "/hosts"),
    ("PUT", "/hosts/web-1"),
    ("DELETE", "/enrol"),
    ("POST", "/identity/challenge"),
    ("PUT", "/enrolment-tokens"),
    ("GET", "/hosts/web-1/revoke"),
    ("POST", "/metrics"),
    ("PATCH", "/rules"),
    ("POST", "/settings/raw_days"),
    ("GET", "/channels/slack/test"),
    ("PUT", "/incidents/1"),
    ("POST", "/incidents/1/why"),
    ("DELETE", "/notifications"),
    ("POST", "/live"),
    ("POST", "/series"),
    ("DELETE", "/hosts/web-1/export"),
    ("DELETE", "/alerts"),
]


def problem(answer: httpx.Response, status: int) -> Problem:
    """The problem document of an answer, after what all of them have in common was checked."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    document = msgspec.json.decode(answer.content, type=Problem)
    assert document.status == status
    assert document.title
    assert document.detail
    return document


async def opened(database_url: str, bus_url: str) -> AsyncIterator[httpx.AsyncClient]:
    await put(database_url, "cpu", [(AT_MS, "", {"total": 1})])
    async with gateway(database_url, bus_url) as client:
        yield client


async def test_every_bad_query_is_answered_with_the_field_to_blame(database_url: str, bus_url: str) -> None:
    async for client in opened(database_url, bus_url):
        for path, status, field in QUERIES:
            document = problem(await client.get(path), status)
            assert [error.field for error in document.errors] == ([field] if field else []), path
            assert all(error.reason for error in document.errors)


async def test_every_bad_body_is_answered_with_the_field_to_blame(database_url: str, bus_url: str) -> None:
    async for client in opened(database_url, bus_url):
        for method, path, body, field in BODIES:
            document = problem(await client.request(method, path, json=body, headers=ANY), 400)
            assert [error.field for error in document.errors] == [field], (path, body, document)
            assert document.type == "/problems/invalid"


async def test_a_refusal_names_field_value_and_what_is_allowed(database_url: str, bus_url: str) -> None:
    async for client in opened(database_url, bus_url):
        answers = [
            await client.post("/rules", json={**RULE, "for_s": -1}),
            await client.post("/rules", json={**RULE, "id": "Not an id"}),
            await client.put("/settings/raw_days", json={"value": "7"}, headers=ANY),
            await client.put("/settings/heartbeat_url", json={"value": "hooks/SECRET"}, headers=ANY),
            await client.put("/agents/config", json={"families": {"cpu": {"interval_s": 0}}}, headers=ANY),
            await client.get("/series?metric=cpu.total&top=5&by=median"),
        ]
    assert [problem(answer, 400).detail for answer in answers] == [
        "for_s: -1: must be a number from 0 to 604800",
        'id: "Not an id": must be 1 to 40 characters, each a-z, 0-9 or -',
        'value: "7": must be a whole number from 1 to 3650',
        (
            "value: must be empty, or an address that starts with http:// or https:// and has no spaces "
            "(at most 500 characters)"
        ),
        "families.cpu.interval_s: 0: must be a number from 0.1 to 86400, or null",
        'by: "median": must be one of "avg", "max" or "p95"',
    ]


async def test_what_an_unknown_parameter_said_is_not_repeated(database_url: str, bus_url: str) -> None:
    async for client in opened(database_url, bus_url):
        answer = await client.get("/hosts?access_token=s3cret")
        document = problem(answer, 400)
    assert [(error.field, error.value) for error in document.errors] == [("access_token", None)]
    assert "s3cret" not in answer.text


async def test_a_refusal_names_every_field_that_is_wrong(database_url: str, bus_url: str) -> None:
    body = {**RULE, "name": "", "for_s": -1, "critical": {"raise_at": "90", "clear_at": 85}}
    async for client in opened(database_url, bus_url):
        document = problem(await client.post("/rules", json=body), 400)
    assert [error.field for error in document.errors] == ["name", "critical.raise_at", "for_s"]
    assert document.detail == (
        'name: "": must be text without NUL characters (1 to 120 characters); also invalid: critical.raise_at, for_s'
    )


async def test_a_rule_that_makes_no_sense_names_both_thresholds(database_url: str, bus_url: str) -> None:
    body = {**RULE, "warning": {"raise_at": 80, "clear_at": 81}, "critical": {"raise_at": 90, "clear_at": 91}}
    async for client in opened(database_url, bus_url):
        document = problem(await client.post("/rules", json=body), 400)
    assert [error.field for error in document.errors] == ["warning.clear_at", "critical.clear_at"]


async def test_a_value_that_is_long_is_cut_in_the_detail_alone(database_url: str, bus_url: str) -> None:
    async for client in opened(database_url, bus_url):
        document = problem(await client.post("/rules", json={**RULE, "name": "x" * 200}), 400)
    assert document.errors[0].value == "x" * 200
    assert document.detail.startswith(f'name: "{"x" * 60}": must be')


async def test_what_does_not_exist_says_where_the_known_ones_are_listed(database_url: str, bus_url: str) -> None:
    async for client in opened(database_url, bus_url):
        details = [problem(await client.get(path), 404).detail for path in ("/hosts/web-9", "/rules/x", "/settings/x")]
    assert details == [
        "host 'web-9' does not exist; GET /api/v1/hosts lists the known hosts",
        "rule 'x' does not exist; GET /api/v1/rules lists the known rules",
        "setting 'x' does not exist; GET /api/v1/settings lists the known settings",
    ]


async def test_a_body_that_is_not_json_is_refused(database_url: str, bus_url: str) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    async for client in opened(database_url, bus_url):
        for content in (b"", b"{", b"\xff\xfe", b"[" * 20_000, b'{"id": "a"} x'):
            document = problem(await client.post("/rules", content=content, headers=headers), 400)
            assert [error.field for error in document.errors] == ["body"]


async def test_a_body_of_another_type_is_refused(database_url: str, bus_url: str) -> None:
    async for client in opened(database_url, bus_url):
        problem(await client.post("/rules", data={"id": "hot"}), 415)
        problem(await client.post("/rules", content=b"{}"), 415)


async def test_a_body_too_large_is_refused_announced_or_not(database_url: str, bus_url: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1000

    async for client in opened(database_url, bus_url):
        json_type = {"Content-Type": "application/json"}
        problem(await client.post("/rules", content=bytes(64 * 1024 + 1), headers=json_type), 413)
        problem(await client.post("/rules", content=chunks(), headers=json_type), 413)


async def test_every_path_names_the_methods_that_it_has(database_url: str, bus_url: str) -> None:
    async for client in opened(database_url, bus_url):
        for method, path in METHODS:
            answer = await client.request(method, path)
            document = problem(answer, 405)
            assert document.detail.endswith(f"does not allow {method}, only {answer.headers['allow']}")
            assert method not in answer.headers["allow"]
        rules = await client.patch("/rules")
    assert set(rules.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


async def test_a_version_that_is_none_is_refused(database_url: str, bus_url: str) -> None:
    async for client in opened(database_url, bus_url):
        answer = await client.put("/settings/raw_days", json={"value": 3}, headers={"If-Match": "latest"})
        assert problem(answer, 400).errors[0].field == "If-Match"


async def test_pages_of_other_origins_change_nothing(database_url: str, bus_url: str) -> None:
    async for client in opened(database_url, bus_url):
        for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
            problem(await client.post("/rules", json=RULE, headers=headers), 403)
        problem(await client.get("/hosts", headers={"Host": "evil.example"}), 421)
        own = str(client.base_url).removesuffix("/api/v1/")
        allowed = await client.post("/rules", json=RULE, headers={"Origin": own, "Sec-Fetch-Site": "same-origin"})
    assert allowed.status_code == 201


async def test_every_answer_carries_the_security_headers(database_url: str, bus_url: str) -> None:
    async for client in opened(database_url, bus_url):
        for path in ("/hosts", "/nothing", "/hosts/web-1/series"):
            headers = (await client.get(path)).headers
            assert "script-src 'self';" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cross-origin-resource-policy"] == "same-origin"
            assert "access-control-allow-origin" not in headers
