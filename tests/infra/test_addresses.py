"""Secrets of addresses are not shown."""

from __future__ import annotations

import pytest

from infra.addresses import redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("nats://me:hush@bus:4222", "nats://me:***@bus:4222"),
        ("nats://token@bus:4222", "nats://***@bus:4222"),
        ("nats://bus:4222", "nats://bus:4222"),
        ("postgresql://me@db/sonde", "postgresql://me@db/sonde"),
        ("postgresql://me:hush@db/sonde", "postgresql://me:***@db/sonde"),
        ("postgresql://db/sonde?user=me&password=hush&sslmode=disable", "postgresql://db/sonde?user=me&password=***&sslmode=disable"),
        ("postgresql://me:hu@sh@db/sonde", "postgresql://me:***@db/sonde"),
        ("no server at nats://me:hush@a, nats://me:hush@b", "no server at nats://me:***@a, nats://me:***@b"),
    ],
)  # fmt: skip
def test_an_address_is_shown_without_its_secrets(text: str, shown: str) -> None:
    assert redact(text) == shown
