"""NATS: connecting and staying connected, streams, ordered consumption, credentials."""
