"""What the gateway asks of the tables when it removes or archives a host."""

# As of retention's clean-up of instances: waits for the flushes and judgements under way, which hold the row, and
# whoever remembers hosts begins anew at its next one. Taken first, as they take it before rows of hosts.
NEXT_GENERATION = "UPDATE horizons SET generation = generation + 1 WHERE name = 'raw' RETURNING generation"

LOCK_WAIT = "SET LOCAL lock_timeout = '10s'"

# Before the host: whoever enrols takes them in that order.
WITHDRAW_TOKENS = """
UPDATE enrolment_tokens SET withdrawn = now()
WHERE host_id = (SELECT id FROM hosts WHERE name = $1) AND withdrawn IS NULL
"""

LOCK_HOST = "SELECT id, state, last_sample FROM hosts WHERE name = $1 AND state <> 'removing' FOR UPDATE"

ARCHIVE = "UPDATE hosts SET state = 'archived', archived_ns = $2 WHERE id = $1"

BURY = """
INSERT INTO removed_hosts (name, time_ns) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET time_ns = greatest(removed_hosts.time_ns, excluded.time_ns)
"""

# A mute ends with its host, which nobody can unmute any more: what it held is told as after any mute.
REMOVE = "UPDATE hosts SET state = 'removing', name = '~' || id, muted_until = NULL WHERE id = $1"

NOTE_REMOVAL = "INSERT INTO removals (host_id, name) VALUES ($1, $2)"

# $2 and $3 are the last row of the page before: null for the first page.
REMOVALS = """
SELECT host_id, name, asked, parts, done, rows, (extract(epoch FROM asked) * 1000000)::bigint AS asked_us FROM removals
WHERE $2::bigint IS NULL OR (asked, host_id) > (to_timestamp(0) + $2 * interval '1 microsecond', $3::bigint)
ORDER BY asked, host_id LIMIT $1
"""

FORGET_STATES = "DELETE FROM alert_states WHERE host_id = $1"

# $2 is now, Unix seconds. An incident ends no earlier than it last changed, by the host's own clock.
END_INCIDENTS = """
UPDATE incidents i SET closed = to_timestamp(ended.at), level = 0, noticed = now(), settled = false,
    body = body || jsonb_build_object('ending', 'gone', 'value', NULL, 'changed', ended.at)
FROM (
    SELECT id, greatest($2::float8, CASE WHEN jsonb_typeof(body -> 'changed') = 'number'
        THEN (body ->> 'changed')::float8 END) AS at
    FROM incidents WHERE host_id = $1 AND closed IS NULL FOR UPDATE
) AS ended
WHERE i.id = ended.id
RETURNING i.id, i.rule_id, i.instance, i.past, i.body, ended.at AS closed_s
"""

# Drawn first because the body of a transition carries its own number.
TRANSITION_ID = "SELECT nextval(pg_get_serial_sequence('alert_transitions', 'id'))"

ADD_TRANSITION = """
INSERT INTO alert_transitions (id, time, host_id, rule_id, instance, kind, body, incident_id) OVERRIDING SYSTEM VALUE
VALUES ($1, $2, $3, $4, $5, 'gone', $6, $7)
"""

ADD_STEP = "INSERT INTO incident_steps (incident_id, at, kind, body) VALUES ($1, $2, 'gone', $3)"
