"""What the alert service reads and writes."""

RULES = "SELECT id, body FROM rules ORDER BY id"

HOSTS = "SELECT name, id FROM hosts WHERE state = 'active'"

HOST_IDS = "SELECT name, id FROM hosts WHERE name = ANY($1) AND state = 'active'"

ALL_HOST_IDS = "SELECT name, id FROM hosts WHERE name = ANY($1)"

GENERATION = "SELECT generation FROM horizons WHERE name = 'raw'"

STATES = """
SELECT s.rule_id, h.name AS host, s.instance, s.body FROM alert_states s JOIN hosts h ON h.id = s.host_id
WHERE h.state = 'active'
"""

SILENCES = """
SELECT h.name AS host, extract(epoch FROM now() - max(m.seen))::float8 AS age_s
FROM marks m JOIN hosts h ON h.id = m.host_id WHERE m.consumer = $1 AND h.state = 'active' GROUP BY h.name
"""

UPSERT_STATES = """
INSERT INTO alert_states (rule_id, host_id, instance, state, body)
SELECT * FROM unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::jsonb[])
ON CONFLICT (rule_id, host_id, instance) DO UPDATE SET state = excluded.state, body = excluded.body
"""

DELETE_STATES = """
DELETE FROM alert_states s USING unnest($1::text[], $2::integer[], $3::text[]) AS gone (rule_id, host_id, instance)
WHERE (s.rule_id, s.host_id, s.instance) = (gone.rule_id, gone.host_id, gone.instance)
"""

# A row of state ok only remembers which sample times it has seen; what is older than the stream keeps never returns.
# One without a number there is unreadable and remembers nothing.
FORGET_STATES = """
DELETE FROM alert_states s USING hosts h
WHERE h.id = s.host_id AND s.state = 'ok'
    AND CASE WHEN jsonb_typeof(s.body -> 'machine' -> 'last_ms') = 'number'
        THEN (s.body -> 'machine' ->> 'last_ms')::numeric < $1::bigint ELSE true END
RETURNING s.rule_id, h.name AS host, s.instance
"""

# Numbers are drawn first because the body of a transition carries its own.
TRANSITION_IDS = """
SELECT nextval(pg_get_serial_sequence('alert_transitions', 'id')) AS id FROM generate_series(1, $1)
"""

INSERT_TRANSITIONS = """
INSERT INTO alert_transitions (id, time, host_id, rule_id, instance, kind, body) OVERRIDING SYSTEM VALUE
SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::jsonb[])
"""

INSERT_OUTBOX = """
INSERT INTO outbox (transition_id, channel)
SELECT id, channel FROM unnest($1::bigint[]) AS t (id) CROSS JOIN unnest($2::text[]) AS c (channel) ORDER BY id
"""

# Of a muted host only what goes to the bus, whether it is held yet or not.
WAITING = """
SELECT o.id, o.attempts, o.answer, t.body, o.next_try <= now() AS due,
       extract(epoch FROM o.next_try - now())::float8 AS wait_s, o.made < now() - make_interval(secs => $3) AS stale
FROM outbox o JOIN alert_transitions t ON t.id = o.transition_id
WHERE o.channel = $1 AND o.status = 'waiting'
    AND ($1 = 'bus' OR NOT EXISTS (SELECT FROM hosts h WHERE h.id = t.host_id AND h.muted_until > now()))
ORDER BY o.transition_id LIMIT $2
"""

HOLD_MUTED = """
UPDATE outbox o SET status = 'muted' FROM alert_transitions t JOIN hosts h ON h.id = t.host_id
WHERE t.id = o.transition_id AND o.channel = $1 AND o.status = 'waiting' AND h.muted_until > now()
"""

# Of each alert the last message is told, as news of this moment, unless it began and ended while its host was muted.
RELEASE_UNMUTED = """
WITH held AS (
    SELECT o.id, t.kind, row_number() OVER (alert ORDER BY t.id DESC) AS from_last,
           first_value(t.kind) OVER (alert ORDER BY t.id) AS first_kind
    FROM outbox o JOIN alert_transitions t ON t.id = o.transition_id JOIN hosts h ON h.id = t.host_id
    WHERE o.channel = $1 AND o.status = 'muted' AND coalesce(h.muted_until <= now(), true)
    WINDOW alert AS (PARTITION BY t.host_id, t.rule_id, t.instance)
), judged AS (
    SELECT id, from_last = 1 AND NOT (kind IN ('resolve', 'gone') AND first_kind = 'fire') AS news FROM held
)
UPDATE outbox o SET status = CASE WHEN news THEN 'waiting' ELSE 'dropped' END,
    answer = CASE WHEN news THEN o.answer ELSE 'the host was muted' END,
    made = CASE WHEN news THEN now() ELSE o.made END, next_try = now(), done = CASE WHEN news THEN NULL ELSE now() END
FROM judged WHERE judged.id = o.id
"""

RULE = "SELECT body FROM rules WHERE id = $1"

DONE = """
UPDATE outbox SET status = $2, answer = $3, attempts = attempts + $4, done = now()
WHERE id = ANY($1) AND status = 'waiting'
"""

AGAIN = """
UPDATE outbox SET attempts = attempts + 1, answer = $2, next_try = now() + make_interval(secs => $3) WHERE id = $1
"""
