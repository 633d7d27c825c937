"""By what the gateway tells whether ingest keeps up."""

from __future__ import annotations

INGEST_POSITION = "SELECT seq, time_ns FROM positions WHERE consumer = 'ingest' AND stream = $1"

NEWEST_SAMPLE = "SELECT max(last_sample) FROM hosts"
