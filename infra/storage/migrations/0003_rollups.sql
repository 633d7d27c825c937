-- What awaits its roll-up, and from where on raw rows are whole.

CREATE TABLE dirty_minutes (
    host_id integer NOT NULL REFERENCES hosts ON DELETE CASCADE,
    slot    timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (host_id, slot)
);
CREATE INDEX dirty_minutes_slot ON dirty_minutes (slot);
COMMENT ON TABLE dirty_minutes IS 'ten minutes (UTC) of a host that got raw rows since their roll-up to minutes; version counts the flushes';

CREATE TABLE dirty_hours (
    host_id integer NOT NULL REFERENCES hosts ON DELETE CASCADE,
    hour    timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (host_id, hour)
);
COMMENT ON TABLE dirty_hours IS 'hours of a host whose minutes changed since their roll-up';

CREATE TABLE horizons (
    name       text PRIMARY KEY,
    before     timestamptz NOT NULL,
    generation integer NOT NULL DEFAULT 0
);
COMMENT ON COLUMN horizons.generation IS 'raw: goes up whenever instances are forgotten, so that nobody writes rows for an id that he knew before';
COMMENT ON TABLE horizons IS 'raw: rows before this moment are dropped or about to be, and none are taken in any more; never goes back';
INSERT INTO horizons VALUES ('raw', '1970-01-01Z');

-- Whatever may be stored by now is to be rolled up, and what an ingest of the version before may still store in the next
-- hour. Days are kept relative to the newest sample; agents keep a backlog for at most seven days.
INSERT INTO dirty_minutes (host_id, slot)
SELECT h.id, slot
FROM hosts h
CROSS JOIN LATERAL generate_series(
    date_bin('10 min', greatest(
        h.first_seen - interval '8 days',
        date_trunc('day', least(now(), (SELECT max(last_sample) FROM hosts)), 'UTC')
            - make_interval(days => coalesce((SELECT value::text::integer FROM settings WHERE key = 'raw_days'), 7) + 1)
    ), '1970-01-01Z'),
    h.last_sample,
    interval '10 min'
) AS slot
UNION
SELECT h.id, slot
FROM hosts h
CROSS JOIN LATERAL generate_series(
    date_bin('10 min', greatest(h.first_seen, now()) - interval '8 days', '1970-01-01Z'),
    now() + interval '1 hour',
    interval '10 min'
) AS slot;

ALTER TABLE retention_runs ADD COLUMN report jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN retention_runs.report IS 'what the run decided by, and what it did, by table';
