-- Everything but the family tables, which the storage engine makes from the catalogue.

CREATE TABLE hosts (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9-]{1,40}$'),
    facts       jsonb NOT NULL DEFAULT '{}',
    first_seen  timestamptz NOT NULL DEFAULT now(),
    last_sample timestamptz
);
COMMENT ON COLUMN hosts.last_sample IS 'time of the newest sample in the family tables';

CREATE TABLE instances (
    id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    host_id integer NOT NULL REFERENCES hosts ON DELETE CASCADE,
    family  text NOT NULL,
    name    text NOT NULL,
    labels  jsonb NOT NULL DEFAULT '{}',
    UNIQUE (host_id, family, name)
);

CREATE TABLE positions (
    consumer text NOT NULL,
    stream   text NOT NULL,
    seq      bigint NOT NULL,
    time_ns  bigint NOT NULL,
    PRIMARY KEY (consumer, stream)
);
COMMENT ON TABLE positions IS 'last stream message each consumer has fully processed, and its stored time in Unix nanoseconds';

CREATE TABLE marks (
    consumer text NOT NULL,
    host_id  integer NOT NULL REFERENCES hosts ON DELETE CASCADE,
    lane     text NOT NULL,
    epoch    text NOT NULL,
    seq      bigint NOT NULL,
    seen     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, host_id, lane, epoch)
);
COMMENT ON TABLE marks IS 'highest batch number each consumer has processed per host, lane and epoch';

CREATE TABLE refusals (
    host_id integer NOT NULL REFERENCES hosts ON DELETE CASCADE,
    family  text NOT NULL,
    reason  text NOT NULL,
    rows    bigint NOT NULL,
    last    timestamptz NOT NULL,
    PRIMARY KEY (host_id, family, reason)
);
COMMENT ON TABLE refusals IS 'rows ingest refused (too old, too far ahead), counted';

CREATE TABLE settings (
    key     text PRIMARY KEY,
    value   jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1,
    changed timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE rules (
    id      text PRIMARY KEY,
    body    jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1,
    changed timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE alert_states (
    rule_id  text NOT NULL,
    host_id  integer NOT NULL REFERENCES hosts ON DELETE CASCADE,
    instance text NOT NULL DEFAULT '',
    state    text NOT NULL,
    body     jsonb NOT NULL,
    PRIMARY KEY (rule_id, host_id, instance)
);
COMMENT ON TABLE alert_states IS 'state of the alert machine; a missing row is ok';

CREATE TABLE alert_transitions (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    time     timestamptz NOT NULL,
    host_id  integer NOT NULL REFERENCES hosts ON DELETE CASCADE,
    rule_id  text NOT NULL,
    instance text NOT NULL DEFAULT '',
    kind     text NOT NULL,
    body     jsonb NOT NULL
);
CREATE INDEX alert_transitions_time ON alert_transitions (time DESC);
CREATE INDEX alert_transitions_host ON alert_transitions (host_id, time DESC);

CREATE TABLE outbox (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transition_id bigint NOT NULL REFERENCES alert_transitions ON DELETE CASCADE,
    channel       text NOT NULL,
    status        text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'sent', 'expired', 'dead')),
    attempts      integer NOT NULL DEFAULT 0,
    next_try      timestamptz NOT NULL DEFAULT now(),
    answer        text NOT NULL DEFAULT '',
    made          timestamptz NOT NULL DEFAULT now(),
    done          timestamptz,
    UNIQUE (transition_id, channel)
);
CREATE INDEX outbox_waiting ON outbox (next_try) WHERE status = 'waiting';
COMMENT ON TABLE outbox IS 'notifications to deliver at least once; channel is slack or bus';

CREATE TABLE retention_runs (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started  timestamptz NOT NULL,
    seconds  real NOT NULL,
    dropped  jsonb NOT NULL,
    bytes    bigint NOT NULL
);
COMMENT ON TABLE retention_runs IS 'what each run of the retention service dropped';
