-- Who belongs to the fleet: tokens to enrol with, identities, what was revoked, and hosts that were removed.

ALTER TABLE hosts ADD COLUMN state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'archived', 'removing'));
ALTER TABLE hosts ADD COLUMN archived_ns bigint;
ALTER TABLE hosts ADD COLUMN tags text[] NOT NULL DEFAULT '{}';
ALTER TABLE hosts DROP CONSTRAINT hosts_name_check;
ALTER TABLE hosts ADD CONSTRAINT hosts_name_check CHECK (name ~ '^[a-z0-9-]{1,40}$' OR (state = 'removing' AND name = '~' || id));
COMMENT ON COLUMN hosts.state IS 'archived: kept for its history, never judged or live; removing: its rows are being deleted, its name is free';
COMMENT ON COLUMN hosts.archived_ns IS 'while archived: what the bus stored later (Unix nanoseconds, by its clock) is not taken in';
COMMENT ON COLUMN hosts.tags IS 'given by people or by the token it enrolled with; the agent''s own are in facts';

CREATE TABLE enrolment_tokens (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash         bytea NOT NULL UNIQUE,
    note         text NOT NULL DEFAULT '',
    uses         integer NOT NULL,
    used         integer NOT NULL DEFAULT 0 CHECK (used <= uses),
    made         timestamptz NOT NULL DEFAULT now(),
    expires      timestamptz NOT NULL,
    withdrawn    timestamptz,
    tags         text[] NOT NULL DEFAULT '{}',
    name_pattern text NOT NULL DEFAULT '',
    host_id      integer REFERENCES hosts ON DELETE CASCADE
);
COMMENT ON COLUMN enrolment_tokens.hash IS 'SHA-256 of the token, which has 192 random bits';
COMMENT ON COLUMN enrolment_tokens.host_id IS 'the host whose identity it replaces';

CREATE TABLE identities (
    public_key text PRIMARY KEY,
    host_id    integer REFERENCES hosts ON DELETE SET NULL,
    host       text NOT NULL,
    token_id   integer REFERENCES enrolment_tokens ON DELETE SET NULL,
    enrolled   timestamptz NOT NULL DEFAULT now(),
    issued     timestamptz NOT NULL DEFAULT now(),
    expires    timestamptz NOT NULL,
    revoked    timestamptz,
    reason     text NOT NULL DEFAULT '',
    suspended  timestamptz,
    cloned     timestamptz,
    refused    bigint NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX identities_present ON identities (host_id) WHERE revoked IS NULL;
CREATE INDEX identities_token ON identities (token_id);
CREATE INDEX identities_host_id ON identities (host_id);
CREATE INDEX identities_host ON identities (host) WHERE revoked IS NULL;
COMMENT ON COLUMN identities.host IS 'the name in its JWTs, also when the host is gone';
COMMENT ON COLUMN identities.suspended IS 'until when it gets no JWT, after a flood';

CREATE TABLE revocations (
    public_key text PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT now(),
    reason     text NOT NULL DEFAULT '',
    account    text NOT NULL DEFAULT 'agents' CHECK (account IN ('agents', 'services')),
    pushed     timestamptz
);
COMMENT ON TABLE revocations IS 'keys whose JWTs issued up to "at" no server takes; pushed: when all servers last said that they know';

CREATE TABLE refused (
    name    text NOT NULL,
    what    text NOT NULL,
    reason  text NOT NULL DEFAULT '',
    times   bigint NOT NULL DEFAULT 0,
    last    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, what)
);
COMMENT ON TABLE refused IS 'what was refused to whom (a host, a user of the bus or an address), counted';

CREATE TABLE removed_hosts (
    name    text PRIMARY KEY,
    time_ns bigint NOT NULL
);
COMMENT ON TABLE removed_hosts IS 'messages of a removed host that the bus stored up to that moment (Unix nanoseconds, by its clock) make nobody anew';

CREATE TABLE removals (
    host_id  integer PRIMARY KEY REFERENCES hosts ON DELETE CASCADE,
    name     text NOT NULL,
    asked    timestamptz NOT NULL DEFAULT now(),
    parts    integer NOT NULL DEFAULT 0,
    done     integer NOT NULL DEFAULT 0,
    rows     bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE removals IS 'hosts whose rows are being deleted: partitions or chunks done of all, and rows so far';
