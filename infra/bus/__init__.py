"""NATS: connecting and staying connected, streams, ordered consumption, credentials."""

from infra.bus.wait_for import mend_wait_for

mend_wait_for()
