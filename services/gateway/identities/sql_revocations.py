"""What the gateway asks of the table `revocations`. Times are whole Unix seconds, as in the account's JWT."""

# No transaction, which would hold its locks while servers are asked. A connection that goes back to its pool gives up
# the turn as well.
TAKE_TURN = "SELECT pg_advisory_lock(hashtext('revocations'))"
END_TURN = "SELECT pg_advisory_unlock(hashtext('revocations'))"

REVOCATIONS = """
SELECT public_key, floor(extract(epoch FROM at))::bigint AS at_s FROM revocations WHERE account = $1
"""

# Revoked so long ago, and issued the last time so long ago, that every JWT of the key has expired.
AGED = """
SELECT i.public_key
FROM unnest($1::text[], $2::bigint[]) AS given (public_key, at_s) JOIN identities i USING (public_key)
WHERE i.expires < now() - interval '1 day'
    AND to_timestamp(given.at_s) < now() - interval '1 day' - $3::float8 * interval '1 day'
"""

FORGET = "DELETE FROM revocations WHERE public_key = ANY($1::text[])"

ADD_MISSING = """
INSERT INTO revocations AS r (public_key, at, reason, account)
SELECT key, to_timestamp(at_s), 'known to the bus', $3 FROM unnest($1::text[], $2::bigint[]) AS given (key, at_s)
ON CONFLICT (public_key) DO UPDATE SET at = greatest(r.at, excluded.at), pushed = NULL
"""

# An identity that got a JWT after that was only suspended.
MARK_MISSING = """
UPDATE identities i SET revoked = now(), reason = 'revoked, as the bus remembers'
FROM unnest($1::text[], $2::bigint[]) AS given (public_key, at_s)
WHERE i.public_key = given.public_key AND i.revoked IS NULL AND i.issued <= to_timestamp(given.at_s)
RETURNING i.host
"""

# Not those that were revoked anew meanwhile.
NOTE_PUSHED = """
UPDATE revocations r SET pushed = now() FROM unnest($1::text[], $2::bigint[]) AS given (public_key, at_s)
WHERE r.public_key = given.public_key AND r.pushed IS NULL AND floor(extract(epoch FROM r.at)) <= given.at_s
"""
