"""What retention reads and writes besides the engine's tables."""

TRY_LOCK = "SELECT pg_try_advisory_lock(hashtext('sonde retention'))"

UNLOCK = "SELECT pg_advisory_unlock(hashtext('sonde retention'))"

RAW_DAYS = "SELECT value FROM settings WHERE key = 'raw_days'"

NOTE_RUN = "INSERT INTO retention_runs (started, seconds, dropped, bytes) VALUES ($1, $2, $3, $4)"
