"""What the gateway asks of the audit log; `services.gateway.http.sql` writes it."""

from __future__ import annotations

# The newest first; each condition is left out by null.
PAGE = """
SELECT id, time, who, by, address, action, target, before, after FROM audit
WHERE ($1::bigint IS NULL OR id < $1)
  AND ($2::text IS NULL OR who = $2)
  AND ($3::text IS NULL OR action = $3)
  AND ($4::text IS NULL OR target = $4)
  AND ($5::timestamptz IS NULL OR time >= $5)
  AND ($6::timestamptz IS NULL OR time < $6)
ORDER BY id DESC LIMIT $7
"""

DROP_OLD = "DELETE FROM audit WHERE time < $1"
