-- What agents are told to sample: one row for the fleet (no host) and one for each host that has settings of its own.

CREATE SEQUENCE agent_config_revision;

CREATE TABLE agent_configs (
    host_id  integer UNIQUE NULLS NOT DISTINCT REFERENCES hosts ON DELETE CASCADE,
    body     jsonb NOT NULL,
    version  integer NOT NULL DEFAULT 1,
    revision bigint NOT NULL DEFAULT nextval('agent_config_revision'),
    changed  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN agent_configs.revision IS 'ascends over all rows; a host''s is the later of its own and the fleet''s';
