-- What people say of hosts. Tags are theirs from now on: agents only propose some, in their facts.

ALTER TABLE hosts ADD COLUMN label text NOT NULL DEFAULT '';
ALTER TABLE hosts ADD COLUMN note text NOT NULL DEFAULT '';
ALTER TABLE hosts ADD COLUMN muted_until timestamptz;
ALTER TABLE hosts ADD COLUMN version integer NOT NULL DEFAULT 1;
CREATE INDEX hosts_tags ON hosts USING gin (tags);
COMMENT ON COLUMN hosts.label IS 'what people call it; empty: its name';
COMMENT ON COLUMN hosts.muted_until IS 'until then nobody is notified of its alerts, which go on; infinity: until it is unmuted';
COMMENT ON COLUMN hosts.version IS 'counts the changes of label, note, tags and muted_until by people';
COMMENT ON COLUMN hosts.tags IS 'given by people or by the token it enrolled with; what its agent proposes is in facts';

-- Hosts that are there keep the tags that their agents gave themselves, as far as they are such as people may give.
UPDATE hosts h SET tags = h.tags || ARRAY(
    SELECT DISTINCT proposed.tag
    FROM jsonb_array_elements_text(CASE jsonb_typeof(h.facts -> 'tags') WHEN 'array' THEN h.facts -> 'tags' ELSE '[]' END)
        AS proposed (tag)
    WHERE proposed.tag ~ '^[^\s,]{1,40}$' AND proposed.tag <> ALL (h.tags)
    ORDER BY 1
    LIMIT 20
)
WHERE h.state <> 'removing';

-- What was to be told of a host while it was muted waits: once it is not, the last of each alert is told, if it is news.
-- The others are dropped, as is what waits for a channel that was taken away: nobody was to be told, so none is lost.
ALTER TABLE outbox DROP CONSTRAINT outbox_status_check;
ALTER TABLE outbox ADD CONSTRAINT outbox_status_check
    CHECK (status IN ('waiting', 'muted', 'sent', 'dropped', 'expired', 'dead'));
CREATE INDEX outbox_muted ON outbox (transition_id) WHERE status = 'muted';
