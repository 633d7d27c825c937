"""What the gateway asks of the tables to tell what happened to hosts. Times go in and out as Unix milliseconds."""

from __future__ import annotations

_MS = "(extract(epoch FROM {}) * 1000)::bigint"
_FROM, _TO = "to_timestamp($2::bigint / 1000.0)", "to_timestamp($3::bigint / 1000.0)"

# ruff: noqa: S608 -- of constants
HOSTS = f"""
SELECT id, name, tags, {_MS.format("first_seen")} AS first_seen_ms FROM hosts
WHERE name = ANY($1) AND state <> 'removing' ORDER BY name
"""

# Of the hosts with the ids $1, as those below: what touches [$2, $3), the latest first, at most $4.
INCIDENTS = f"""
SELECT h.name AS host, i.id, i.rule_id, i.instance, i.past, i.body, {_MS.format("i.opened")} AS time_ms,
       {_MS.format("i.closed")} AS end_ms
FROM hosts h JOIN incidents i ON i.host = h.name AND i.host_id = h.id
WHERE h.id = ANY($1) AND i.opened < {_TO} AND (i.closed IS NULL OR i.closed >= {_FROM})
ORDER BY i.opened DESC, i.id DESC LIMIT $4
"""

# Of the kinds $5. Of one that is away nobody said when it was back, if it left once more since, or if samples came.
EVENTS = f"""
SELECT host, kind, body, {_MS.format("time")} AS time_ms, {_MS.format('"end"')} AS end_ms
FROM (
    SELECT h.name AS host, e.id, e.kind, e.body, e.time,
           CASE WHEN e.kind <> 'away' THEN e.time
                WHEN e.ended IS NOT NULL THEN e.ended
                WHEN h.last_sample > e.time + interval '1 minute' OR EXISTS (
                    SELECT FROM host_events later
                    WHERE later.host_id = e.host_id AND later.kind = 'away' AND later.time > e.time)
                THEN e.time END AS "end"
    FROM hosts h JOIN host_events e ON e.host_id = h.id
    WHERE h.id = ANY($1) AND e.time < {_TO} AND e.kind = ANY($5)
        AND (e.time >= {_FROM} OR e.kind = 'away' AND coalesce(e.ended, now()) >= {_FROM})
) AS found
WHERE "end" IS NULL OR "end" >= {_FROM} ORDER BY time DESC, id DESC LIMIT $4
"""

# Of the targets $1, by one of the actions $5.
CHANGES = f"""
SELECT target, action, before, after, {_MS.format("time")} AS time_ms FROM audit
WHERE target = ANY($1) AND time >= {_FROM} AND time < {_TO} AND action = ANY($5) ORDER BY time DESC, id DESC LIMIT $4
"""

# How it was with the muting of the hosts called $1 at $2: the last change before that said anything of it.
MUTES_BEFORE = f"""
SELECT name AS target, change.* FROM unnest($1::text[]) AS name CROSS JOIN LATERAL (
    SELECT action, before, after, {_MS.format("time")} AS time_ms FROM audit
    WHERE target = name AND time < {_FROM} AND action = ANY($3)
        AND after -> 'muted_until' IS DISTINCT FROM before -> 'muted_until'
    ORDER BY time DESC, id DESC LIMIT 1) AS change
"""

SILENCES = f"""
SELECT id, body, {_MS.format("starts")} AS time_ms, {_MS.format("ends")} AS end_ms FROM silences
WHERE starts < {_TO.replace("$3", "$2")} AND ends >= {_FROM.replace("$2", "$1")} AND ends > starts
ORDER BY starts DESC, id DESC LIMIT $3
"""
