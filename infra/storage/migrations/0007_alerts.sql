-- An alert from when it fires until it is over is an incident. Who is told of it is found by comparing what is true with
-- what each channel was told, so that nothing waits in a queue; alerts may be about Sonde itself, without a host.

CREATE TABLE channels (
    id      text PRIMARY KEY,
    body    jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1,
    changed timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE channels IS 'where people are told; body holds secrets';

CREATE TABLE channel_states (
    channel     text PRIMARY KEY REFERENCES channels ON DELETE CASCADE,
    held_since  timestamptz,
    held_reason text NOT NULL DEFAULT '',
    next_try    timestamptz NOT NULL DEFAULT now(),
    failures    integer NOT NULL DEFAULT 0,
    storms      jsonb NOT NULL DEFAULT '{}',
    version     integer
);
COMMENT ON COLUMN channel_states.held_since IS 'since when nothing can be sent there until somebody mends it; null: it can';
COMMENT ON COLUMN channel_states.next_try IS 'not before: after a failure, or as the channel asked';
COMMENT ON COLUMN channel_states.failures IS 'attempts in a row that failed';
COMMENT ON COLUMN channel_states.storms IS 'by route: when the next message may tell of many at once';
COMMENT ON COLUMN channel_states.version IS 'of the channel that all this is about; another one counts as mended';

CREATE TABLE routes (
    id      text PRIMARY KEY,
    body    jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1,
    changed timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE silences (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    starts  timestamptz NOT NULL,
    ends    timestamptz NOT NULL,
    body    jsonb NOT NULL,
    by      text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    made    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX silences_ends ON silences (ends);

CREATE TABLE incidents (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule_id      text NOT NULL,
    host         text NOT NULL DEFAULT '',
    host_id      integer REFERENCES hosts ON DELETE SET NULL,
    instance     text NOT NULL DEFAULT '',
    past         boolean NOT NULL DEFAULT false,
    opened       timestamptz NOT NULL,
    closed       timestamptz,
    level        smallint NOT NULL CHECK (level BETWEEN 0 AND 2),
    noticed      timestamptz NOT NULL DEFAULT now(),
    settled      boolean NOT NULL DEFAULT false,
    body         jsonb NOT NULL,
    acknowledged jsonb,
    version      integer NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX incidents_open ON incidents (rule_id, host, instance, past) WHERE closed IS NULL;
CREATE INDEX incidents_unsettled ON incidents (id) WHERE NOT settled;
CREATE INDEX incidents_opened ON incidents (opened DESC, id DESC);
CREATE INDEX incidents_noticed ON incidents (noticed DESC, id DESC);
CREATE INDEX incidents_host ON incidents (host, opened DESC);
COMMENT ON TABLE incidents IS 'alerts, each from first fire to its end; host is empty where one is about Sonde itself';
COMMENT ON COLUMN incidents.host IS 'name, kept when the host is removed, so that its end can still be told';
COMMENT ON COLUMN incidents.past IS 'found in samples that came late';
COMMENT ON COLUMN incidents.level IS '1 warning, 2 critical, 0 over';
COMMENT ON COLUMN incidents.noticed IS 'when its last change was noticed, however long before that it happened';
COMMENT ON COLUMN incidents.settled IS 'nobody has to be told any more';
COMMENT ON COLUMN incidents.version IS 'counts what people did to it';

CREATE TABLE incident_steps (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_id bigint NOT NULL REFERENCES incidents ON DELETE CASCADE,
    at          timestamptz NOT NULL DEFAULT now(),
    kind        text NOT NULL,
    body        jsonb NOT NULL
);
CREATE INDEX incident_steps_incident ON incident_steps (incident_id, id);
COMMENT ON TABLE incident_steps IS 'what happened to an incident and what was decided about telling of it, in order';

CREATE TABLE told (
    incident_id bigint NOT NULL REFERENCES incidents ON DELETE CASCADE,
    channel     text NOT NULL REFERENCES channels ON DELETE CASCADE,
    level       smallint NOT NULL CHECK (level BETWEEN 0 AND 2),
    at          timestamptz NOT NULL,
    since       timestamptz NOT NULL,
    times       integer NOT NULL DEFAULT 1,
    reference   jsonb NOT NULL DEFAULT '{}',
    unsure      boolean NOT NULL DEFAULT false,
    PRIMARY KEY (incident_id, channel)
);
COMMENT ON TABLE told IS 'what each channel was told last of each incident';
COMMENT ON COLUMN told.unsure IS 'nobody knows whether the message arrived: it is told anew, and so is its end';
COMMENT ON COLUMN told.reference IS 'how the channel calls the message, to change it and to follow it up';

CREATE TABLE notifications (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel  text NOT NULL,
    route    text NOT NULL,
    form     text NOT NULL,
    status   text NOT NULL CHECK (status IN ('sending', 'sent', 'failed', 'refused', 'dead', 'unknown')),
    attempts integer NOT NULL DEFAULT 0,
    answer   text NOT NULL DEFAULT '',
    made     timestamptz NOT NULL DEFAULT now(),
    done     timestamptz,
    delay_s  real,
    body     jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX notifications_made ON notifications (made DESC);
CREATE INDEX notifications_sending ON notifications (channel) WHERE status = 'sending';
COMMENT ON TABLE notifications IS 'messages, each made the moment before it was sent';
COMMENT ON COLUMN notifications.status IS
    'sending; sent; failed: will be tried anew; refused: the channel does not take this message; dead: nor any other; unknown: nobody saw the answer';
COMMENT ON COLUMN notifications.delay_s IS 'from the newest change that it tells of, as it happened, to the answer';

CREATE TABLE notification_items (
    notification_id bigint NOT NULL REFERENCES notifications ON DELETE CASCADE,
    incident_id     bigint NOT NULL REFERENCES incidents ON DELETE CASCADE,
    kind            text NOT NULL,
    PRIMARY KEY (notification_id, incident_id)
);
CREATE INDEX notification_items_incident ON notification_items (incident_id);

-- Alerts without a host, and those of samples that came late.
ALTER TABLE alert_states DROP CONSTRAINT alert_states_pkey;
ALTER TABLE alert_states ALTER COLUMN host_id DROP NOT NULL;
ALTER TABLE alert_states ADD COLUMN past boolean NOT NULL DEFAULT false;
CREATE UNIQUE INDEX alert_states_key ON alert_states (rule_id, host_id, instance, past) NULLS NOT DISTINCT;
COMMENT ON COLUMN alert_states.host_id IS 'null: it is about Sonde itself';

ALTER TABLE alert_transitions ALTER COLUMN host_id DROP NOT NULL;
ALTER TABLE alert_transitions ADD COLUMN incident_id bigint REFERENCES incidents ON DELETE CASCADE;
ALTER TABLE alert_transitions ADD COLUMN published boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN alert_transitions.published IS 'whether it is on the bus';

-- What came late was not judged before; only what comes from now on is.
INSERT INTO positions (consumer, stream, seq, time_ns)
SELECT 'alerts', stream, seq, time_ns FROM positions WHERE (consumer, stream) = ('ingest', 'BACKFILL')
ON CONFLICT DO NOTHING;

-- The rules of a first start that are new; a database that has not had one gets all of them afterwards.
INSERT INTO rules (id, body)
SELECT body ->> 'id', body
FROM jsonb_array_elements('[
    {"id": "samples-lost", "name": "Samples lost", "metric": "agent.dropped_total",
     "warning": {"raise_at": 1, "clear_at": 0}, "window": {"function": "increase", "seconds": 600}},
    {"id": "blind", "name": "Monitoring is blind", "metric": "monitoring.blind", "critical": {"raise_at": 60, "clear_at": 0}},
    {"id": "service-silent", "name": "Service of Sonde silent", "metric": "service.silent",
     "critical": {"raise_at": 60, "clear_at": 30}},
    {"id": "channel-held", "name": "Channel held", "metric": "channel.held", "warning": {"raise_at": 1, "clear_at": 0}}
]'::jsonb) AS new (body)
WHERE EXISTS (SELECT FROM schema_migrations WHERE name = 'default rules')
ON CONFLICT DO NOTHING;

-- The webhook of Slack was a setting; it is a channel now.
INSERT INTO channels (id, body)
SELECT 'slack', jsonb_build_object('id', 'slack', 'name', 'Slack', 'target', jsonb_build_object('kind', 'slack', 'url', value))
FROM settings WHERE key = 'slack_webhook_url' AND jsonb_typeof(value) = 'string' AND value <> '""';
DELETE FROM settings WHERE key = 'slack_webhook_url';

-- What fired is an incident, from each fire to the end after it. One whose state is lost ended with its last transition.
CREATE TEMPORARY TABLE lived ON COMMIT DROP AS
WITH numbered AS (
    SELECT t.*, count(*) FILTER (WHERE kind = 'fire') OVER (PARTITION BY host_id, rule_id, instance ORDER BY id) AS life
    FROM alert_transitions t
    WHERE t.body ->> 'severity' IN ('warning', 'critical') AND jsonb_typeof(t.body -> 'since') = 'number'
)
SELECT host_id, rule_id, instance, life,
    CASE WHEN life > 0 THEN min(time) ELSE to_timestamp((array_agg(body ->> 'since' ORDER BY id))[1]::float8) END AS opened,
    max(time) AS last, array_agg(id ORDER BY id) AS ids, (array_agg(kind ORDER BY id DESC))[1] AS last_kind,
    (array_agg(body ORDER BY id))[1] AS first_body, (array_agg(body ORDER BY id DESC))[1] AS last_body,
    bool_or(body ->> 'severity' = 'critical') AS critical,
    row_number() OVER (PARTITION BY host_id, rule_id, instance ORDER BY life DESC) = 1 AS newest, NULL::bigint AS incident_id
FROM numbered GROUP BY host_id, rule_id, instance, life;

UPDATE lived SET incident_id = numbered.id FROM (
    SELECT host_id, rule_id, instance, life, nextval(pg_get_serial_sequence('incidents', 'id')) AS id
    FROM (SELECT * FROM lived ORDER BY ids[1]) AS in_order
) AS numbered
WHERE (lived.host_id, lived.rule_id, lived.instance, lived.life)
    = (numbered.host_id, numbered.rule_id, numbered.instance, numbered.life);

INSERT INTO incidents (id, rule_id, host, host_id, instance, opened, closed, level, noticed, settled, body)
OVERRIDING SYSTEM VALUE
SELECT l.incident_id, l.rule_id, coalesce(l.last_body ->> 'host', h.name), l.host_id, l.instance, l.opened,
    CASE WHEN open.yes THEN NULL ELSE l.last END,
    CASE WHEN NOT open.yes THEN 0 WHEN l.last_body ->> 'severity' = 'critical' THEN 2 ELSE 1 END,
    l.last, NOT open.yes,
    jsonb_build_object(
        'rule_name', coalesce(l.last_body -> 'rule_name', to_jsonb(l.rule_id)),
        'metric', coalesce(l.last_body -> 'metric', '""'), 'unit', coalesce(l.last_body -> 'unit', '""'),
        'severity', l.last_body -> 'severity', 'worst', CASE WHEN l.critical THEN 'critical' ELSE 'warning' END,
        'value', l.last_body -> 'value', 'threshold', coalesce(l.last_body -> 'threshold', '0'),
        'since', l.first_body -> 'since', 'changed', extract(epoch FROM l.last)::float8,
        'peak', l.last_body -> 'peak', 'peak_time', l.last_body -> 'peak_time', 'tags', to_jsonb(h.tags),
        'ending', CASE WHEN open.yes THEN NULL WHEN l.last_kind IN ('resolve', 'gone') THEN l.last_kind ELSE 'gone' END)
FROM lived l JOIN hosts h ON h.id = l.host_id,
    LATERAL (SELECT l.newest AND l.last_kind NOT IN ('resolve', 'gone') AND EXISTS (
        SELECT FROM alert_states s WHERE (s.rule_id, s.host_id, s.instance) = (l.rule_id, l.host_id, l.instance)
            AND s.state IN ('firing', 'recovering')) AS yes) open
ORDER BY l.incident_id;

-- What fires although its transitions were dropped as old.
INSERT INTO incidents (rule_id, host, host_id, instance, opened, level, noticed, body)
SELECT s.rule_id, h.name, s.host_id, s.instance, to_timestamp((s.body ->> 'since')::float8),
    CASE s.body ->> 'severity' WHEN 'critical' THEN 2 ELSE 1 END, now(),
    jsonb_build_object(
        'rule_name', coalesce(s.body -> 'rule_name', to_jsonb(s.rule_id)),
        'metric', coalesce(s.body -> 'metric', '""'), 'unit', coalesce(s.body -> 'unit', '""'),
        'severity', s.body -> 'severity', 'worst', s.body -> 'severity', 'value', s.body -> 'value',
        'threshold', coalesce(s.body -> 'threshold', '0'), 'since', s.body -> 'since', 'changed', s.body -> 'since',
        'peak', s.body -> 'peak', 'peak_time', NULL, 'tags', to_jsonb(h.tags), 'ending', NULL)
FROM alert_states s JOIN hosts h ON h.id = s.host_id
WHERE s.state IN ('firing', 'recovering') AND s.body ->> 'severity' IN ('warning', 'critical')
    AND jsonb_typeof(s.body -> 'since') = 'number' AND NOT EXISTS (
        SELECT FROM incidents i WHERE (i.rule_id, i.host_id, i.instance) = (s.rule_id, s.host_id, s.instance)
            AND i.closed IS NULL)
ORDER BY s.host_id, s.rule_id, s.instance;

UPDATE alert_transitions t SET incident_id = l.incident_id
FROM (SELECT incident_id, unnest(ids) AS id FROM lived) AS l WHERE t.id = l.id;

INSERT INTO incident_steps (incident_id, at, kind, body)
SELECT t.incident_id, t.time, step.kind, jsonb_build_object(
    'at', extract(epoch FROM t.time)::float8, 'kind', step.kind, 'text', (t.body ->> 'severity') || ': judged by an earlier version')
FROM alert_transitions t, LATERAL (SELECT CASE t.kind WHEN 'fire' THEN 'fired' WHEN 'escalate' THEN 'escalated'
    WHEN 'deescalate' THEN 'deescalated' WHEN 'resolve' THEN 'resolved' ELSE 'gone' END AS kind) AS step
WHERE t.incident_id IS NOT NULL ORDER BY t.id;

UPDATE alert_transitions t SET published = NOT EXISTS (
    SELECT FROM outbox o WHERE o.transition_id = t.id AND o.channel = 'bus' AND o.status = 'waiting');
CREATE INDEX alert_transitions_unpublished ON alert_transitions (id) WHERE NOT published;
CREATE INDEX alert_transitions_incident ON alert_transitions (incident_id);

-- What Slack was told, and what became of each message.
INSERT INTO told (incident_id, channel, level, at, since, times)
SELECT DISTINCT ON (t.incident_id) t.incident_id, 'slack',
    CASE WHEN t.kind IN ('resolve', 'gone') THEN 0 WHEN t.body ->> 'severity' = 'critical' THEN 2 ELSE 1 END,
    coalesce(o.done, o.made), min(coalesce(o.done, o.made)) OVER told, count(*) OVER told
FROM outbox o JOIN alert_transitions t ON t.id = o.transition_id
WHERE o.channel = 'slack' AND o.status = 'sent' AND t.incident_id IS NOT NULL
    AND EXISTS (SELECT FROM channels WHERE id = 'slack')
WINDOW told AS (PARTITION BY t.incident_id)
ORDER BY t.incident_id, t.id DESC;
-- An end that was still to be told is.
UPDATE incidents i SET settled = false
WHERE closed IS NOT NULL AND EXISTS (SELECT FROM told WHERE incident_id = i.id AND level > 0) AND EXISTS (
    SELECT FROM outbox o JOIN alert_transitions t ON t.id = o.transition_id
    WHERE t.incident_id = i.id AND o.channel = 'slack' AND o.status IN ('waiting', 'muted'));
UPDATE told SET level = 0 FROM incidents i WHERE i.id = incident_id AND i.settled;

INSERT INTO notifications (channel, route, form, status, attempts, answer, made, done, body)
SELECT o.channel, 'everything', 'alert',
    CASE o.status WHEN 'sent' THEN 'sent' WHEN 'dead' THEN 'refused' ELSE 'failed' END,
    o.attempts, o.answer, o.made, o.done, jsonb_build_object('transition', o.transition_id)
FROM outbox o WHERE o.channel <> 'bus' AND o.status IN ('sent', 'dead', 'expired') ORDER BY o.id;
INSERT INTO notification_items (notification_id, incident_id, kind)
SELECT n.id, t.incident_id, t.kind
FROM notifications n JOIN alert_transitions t ON t.id = (n.body ->> 'transition')::bigint WHERE t.incident_id IS NOT NULL;

DROP TABLE outbox;
