"""What the gateway asks of the tables that hold the configuration. A host id of null stands for the fleet."""

# Whoever changes any of it by another way waits.
LOCK = "LOCK TABLE settings, rules, channels, routes, agent_configs IN SHARE ROW EXCLUSIVE MODE"

SETTINGS = "SELECT key, value FROM settings WHERE value <> 'null' ORDER BY key"

RULES = "SELECT id, body FROM rules ORDER BY id"

ROUTES = "SELECT id, body FROM routes ORDER BY id"

CHANNELS = "SELECT id, body FROM channels ORDER BY id"

AGENT_CONFIGS = """
SELECT coalesce(h.name, '') AS host, c.body FROM agent_configs c LEFT JOIN hosts h ON h.id = c.host_id
WHERE h.state IS DISTINCT FROM 'removing' ORDER BY h.name
"""

HOSTS = "SELECT name, label, tags, note FROM hosts WHERE state <> 'removing' ORDER BY name"

PUT_SETTING = """
INSERT INTO settings AS s (key, value) VALUES ($1, $2::jsonb)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = s.version + 1, changed = now()
RETURNING version
"""

# As a reset leaves it: the default, at a version that no earlier one was.
DELETE_SETTING = "UPDATE settings SET value = 'null', version = version + 1, changed = now() WHERE key = $1"

PUT_RULE = """
INSERT INTO rules AS r (id, body) VALUES ($1, $2::jsonb)
ON CONFLICT (id) DO UPDATE SET body = excluded.body, version = r.version + 1, changed = now()
"""

DELETE_RULE = "DELETE FROM rules WHERE id = $1"

PUT_ROUTE = """
INSERT INTO routes AS r (id, body) VALUES ($1, $2::jsonb)
ON CONFLICT (id) DO UPDATE SET body = excluded.body, version = r.version + 1, changed = now()
"""

DELETE_ROUTE = "DELETE FROM routes WHERE id = $1"

PUT_CHANNEL = """
INSERT INTO channels AS c (id, body) VALUES ($1, $2::jsonb)
ON CONFLICT (id) DO UPDATE SET body = excluded.body, version = c.version + 1, changed = now()
"""

DELETE_CHANNEL = "DELETE FROM channels WHERE id = $1"

# Nobody's are stored as empty, not as nothing: agents know news by their revision.
PUT_AGENT_CONFIG = """
INSERT INTO agent_configs AS c (host_id, body)
SELECT h.id, $2::jsonb FROM (SELECT 1) one LEFT JOIN hosts h ON h.name = $1 AND h.state <> 'removing'
WHERE $1 = '' OR h.id IS NOT NULL
ON CONFLICT (host_id) DO UPDATE
    SET body = excluded.body, version = c.version + 1, revision = nextval('agent_config_revision'), changed = now()
"""
