-- People: users, their sessions, tokens and second factors, and who changed what.
--
-- Secrets that we make have at least 80 random bits and are kept as SHA-256; passwords, which people make, as Argon2id.

CREATE TABLE users (
    id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9._@+-]{0,63}$'),
    role          text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    source        text NOT NULL DEFAULT 'local' CHECK (source IN ('local', 'oidc', 'proxy')),
    subject       text UNIQUE,
    disabled      boolean NOT NULL DEFAULT false,
    password      text,
    totp_secret   text,
    totp_offered  text,
    totp_step     bigint NOT NULL DEFAULT 0,
    created       timestamptz NOT NULL DEFAULT now(),
    last_login    timestamptz
);
COMMENT ON COLUMN users.subject IS 'who that is to the provider that vouches for them, for the sources oidc and proxy';
COMMENT ON COLUMN users.password IS 'Argon2id with its parameters; null: no way in by password';
COMMENT ON COLUMN users.totp_secret IS 'base32; null: no second factor. It must be readable, for codes are computed from it';
COMMENT ON COLUMN users.totp_offered IS 'one that no code has confirmed yet';
COMMENT ON COLUMN users.totp_step IS 'the 30 seconds whose code was used last: none up to it is good again';

CREATE TABLE recovery_codes (
    user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
    hash    bytea NOT NULL,
    PRIMARY KEY (user_id, hash)
);

CREATE TABLE sessions (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash       bytea NOT NULL UNIQUE,
    user_id    integer NOT NULL REFERENCES users ON DELETE CASCADE,
    created    timestamptz NOT NULL DEFAULT now(),
    seen       timestamptz NOT NULL DEFAULT now(),
    expires    timestamptz NOT NULL,
    address    text NOT NULL DEFAULT '',
    user_agent text NOT NULL DEFAULT ''
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires);
COMMENT ON COLUMN sessions.expires IS 'the end however much it is used; unused for long it ends before';

CREATE TABLE login_links (
    hash    bytea PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
    created timestamptz NOT NULL DEFAULT now(),
    expires timestamptz NOT NULL
);
CREATE INDEX login_links_user ON login_links (user_id);

CREATE TABLE api_tokens (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash         bytea NOT NULL UNIQUE,
    user_id      integer REFERENCES users ON DELETE CASCADE,
    note         text NOT NULL DEFAULT '',
    role         text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    scopes       text[] NOT NULL DEFAULT '{}',
    created      timestamptz NOT NULL DEFAULT now(),
    expires      timestamptz,
    last_used    timestamptz,
    last_address text NOT NULL DEFAULT ''
);
CREATE INDEX api_tokens_user ON api_tokens (user_id);
COMMENT ON COLUMN api_tokens.user_id IS 'null: lent for a minute to a command that has the database''s address anyway, run by whom note names';
COMMENT ON COLUMN api_tokens.role IS 'the most it may; never more than its user may at that moment';
COMMENT ON COLUMN api_tokens.scopes IS 'the parts of the API that it may use; empty: all of them';

CREATE TABLE audit (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    time    timestamptz NOT NULL DEFAULT clock_timestamp(),
    who     text NOT NULL,
    by      text NOT NULL,
    address text NOT NULL DEFAULT '',
    action  text NOT NULL,
    target  text NOT NULL DEFAULT '',
    before  jsonb,
    after   jsonb
);
CREATE INDEX audit_time ON audit (time);
CREATE INDEX audit_who ON audit (who, id DESC);
CREATE INDEX audit_action ON audit (action, id DESC);
CREATE INDEX audit_target ON audit (target, id DESC);
COMMENT ON TABLE audit IS 'every change that somebody made: who, from where, what was and what is; never a secret';
