"""What the gateway asks of `agent_configs`. A host id of null stands for the fleet."""

FIND = "SELECT body, version, revision FROM agent_configs WHERE host_id IS NOT DISTINCT FROM $1::integer"

# Whoever changes settings waits for whoever is at it: a later commit has a later revision.
LOCK = "LOCK TABLE agent_configs IN SHARE ROW EXCLUSIVE MODE"

# $3 is the version that must be there: null for any, 0 for none yet.
PUT = """
INSERT INTO agent_configs AS c (host_id, body) SELECT $1::integer, $2::jsonb WHERE coalesce($3::integer, 0) = 0
    OR EXISTS (SELECT FROM agent_configs WHERE host_id IS NOT DISTINCT FROM $1::integer AND version = $3)
ON CONFLICT (host_id) DO UPDATE
    SET body = excluded.body, version = c.version + 1, revision = nextval('agent_config_revision'), changed = now()
WHERE $3::integer IS NULL OR c.version = $3
RETURNING body, version, revision
"""

RULES = "SELECT body FROM rules ORDER BY id"

# What tells that something is to be published: other settings, rules or tags, or other hosts.
STAMP = """
SELECT (SELECT coalesce(max(revision), 0) FROM agent_configs) AS revision,
       (SELECT md5(string_agg(id || ' ' || version || ' ' || changed, ',' ORDER BY id)) FROM rules) AS rules,
       (SELECT md5(string_agg(id || ' ' || tags::text, ',' ORDER BY id)) FROM hosts WHERE state = 'active') AS hosts
"""

ALL = """
SELECT h.name, h.tags, c.body, c.revision FROM hosts h LEFT JOIN agent_configs c ON c.host_id = h.id
WHERE h.state = 'active' ORDER BY h.name
"""
