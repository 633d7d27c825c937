-- What people keep of the dashboard, and what happened to hosts, for the marks on their charts.

CREATE TABLE views (
    id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id  integer NOT NULL REFERENCES users ON DELETE CASCADE,
    name     text NOT NULL,
    path     text NOT NULL,
    position integer NOT NULL,
    version  integer NOT NULL DEFAULT 1,
    changed  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, name)
);
COMMENT ON TABLE views IS 'pages of the dashboard that people saved, with everything that their address says';
COMMENT ON COLUMN views.position IS 'views of a user are listed by it, and by id where two have the same';

CREATE TABLE preferences (
    user_id integer PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    body    jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1,
    changed timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE host_events (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    host_id integer NOT NULL REFERENCES hosts ON DELETE CASCADE,
    time    timestamptz NOT NULL,
    ended   timestamptz,
    kind    text NOT NULL,
    key     text,
    body    jsonb NOT NULL DEFAULT '{}',
    UNIQUE (host_id, kind, key)
);
CREATE INDEX host_events_host ON host_events (host_id, time DESC);
CREATE INDEX host_events_time ON host_events (time);
COMMENT ON TABLE host_events IS 'reboots, updates and the like, found in what agents and the bus say of hosts';
COMMENT ON COLUMN host_events.ended IS 'of what lasts, such as being away; null: it has not ended, or its end is unknown';
COMMENT ON COLUMN host_events.key IS 'what makes it one, such as the boot id of a reboot: it is kept once; null: nothing does';

CREATE TABLE storage_use (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    at     timestamptz NOT NULL,
    body   jsonb NOT NULL
);
COMMENT ON TABLE storage_use IS 'what the retention service last measured of all tables, so that nobody who looks at it measures anew';

-- Marks of a host: who changed its settings, gave it orders or muted it.
CREATE INDEX audit_target_time ON audit (target, time DESC);

-- What is known already: the last boot of each host that was one while we knew it, and the settings that are in force.
INSERT INTO host_events (host_id, time, kind, key)
SELECT h.id, boot.time, 'reboot', left(coalesce(nullif(h.facts ->> 'boot_id', ''), round(boot.seconds)::text), 100)
FROM hosts h
CROSS JOIN LATERAL (SELECT CASE WHEN jsonb_typeof(h.facts -> 'boot_time') = 'number'
    THEN (h.facts ->> 'boot_time')::float8 END AS seconds) AS given
CROSS JOIN LATERAL (SELECT given.seconds, to_timestamp(least(greatest(given.seconds, 0), 4102444800)) AS time) AS boot
WHERE boot.seconds > 0 AND boot.time BETWEEN h.first_seen AND now() AND h.state <> 'removing';

INSERT INTO host_events (host_id, time, kind, key, body)
SELECT DISTINCT ON (h.id) h.id, c.changed, 'settings', c.revision::text, jsonb_build_object('revision', c.revision)
FROM hosts h JOIN agent_configs c ON (c.host_id = h.id OR c.host_id IS NULL)
    AND h.facts -> 'config_revision' = to_jsonb(c.revision)
WHERE h.state <> 'removing' ORDER BY h.id, c.revision DESC;
