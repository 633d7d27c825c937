"""What the gateway asks of alerts and rules."""

from __future__ import annotations

ACTIVE_ALERTS = """
SELECT s.rule_id, h.name AS host, s.instance, s.state, s.body
FROM alert_states s JOIN hosts h ON h.id = s.host_id WHERE s.state <> 'ok' AND h.state = 'active'
"""

# $2 and $3 are the last row of the page before: null for the first page.
ALERT_HISTORY = """
SELECT t.id, coalesce(o.id, 0) AS outbox_id, t.body, o.channel, o.status, o.attempts, o.answer
FROM alert_transitions t LEFT JOIN outbox o ON o.transition_id = t.id AND o.channel <> 'bus'
WHERE NOT EXISTS (SELECT FROM hosts h WHERE h.id = t.host_id AND h.state = 'removing')
    AND t.id <= coalesce($2::bigint, 9223372036854775807)
    AND ($2 IS NULL OR (t.id, coalesce(o.id, 0)) < ($2, $3::bigint))
ORDER BY t.id DESC, coalesce(o.id, 0) DESC LIMIT $1
"""

RULES = "SELECT body, version FROM rules ORDER BY id"

RULE = "SELECT body, version FROM rules WHERE id = $1"

LOCK_RULE = f"{RULE} FOR UPDATE"

INSERT_RULE = "INSERT INTO rules (id, body) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING version"

UPDATE_RULE = """
UPDATE rules SET body = $2, version = version + 1, changed = now()
WHERE id = $1 AND ($3::integer IS NULL OR version = $3) RETURNING version
"""

DELETE_RULE = "DELETE FROM rules WHERE id = $1 AND ($2::integer IS NULL OR version = $2) RETURNING version"
