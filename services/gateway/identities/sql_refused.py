"""What the gateway asks of the table `refused`."""

# Locked in one order, as several gateways may count at once.
ADD = """
INSERT INTO refused AS r (name, what, reason, times)
SELECT coalesce(i.host, given.name) AS name, given.what, max(given.reason), sum(given.times)
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS given (name, what, reason, times)
LEFT JOIN identities i ON i.public_key = given.name
GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (name, what) DO UPDATE SET reason = excluded.reason, times = r.times + excluded.times, last = now()
"""

# By key, or by the name of the host that has one now.
COUNT_IDENTITIES = """
WITH given AS (
    SELECT public_key, sum(times) AS times FROM (
        SELECT i.public_key, n.times
        FROM unnest($1::text[], $2::bigint[]) AS n (name, times) JOIN identities i ON i.public_key = n.name
        UNION ALL
        SELECT i.public_key, n.times
        FROM unnest($1::text[], $2::bigint[]) AS n (name, times)
        JOIN identities i ON i.host = n.name AND i.revoked IS NULL
    ) named GROUP BY 1
), locked AS (
    SELECT public_key FROM identities WHERE public_key IN (SELECT public_key FROM given) ORDER BY 1 FOR UPDATE
)
UPDATE identities i SET refused = i.refused + given.times
FROM given JOIN locked USING (public_key) WHERE i.public_key = given.public_key
"""

DROP = """
DELETE FROM refused WHERE last < now() - $1 * interval '1 day'
    OR (name, what) IN (SELECT name, what FROM refused ORDER BY last DESC OFFSET $2)
"""

# $2, $3 and $4 are the last row of the page before: null for the first page.
LIST = """
SELECT name, what, reason, times, last, (extract(epoch FROM last) * 1000000)::bigint AS last_us FROM refused
WHERE $2::bigint IS NULL OR last < to_timestamp(0) + $2 * interval '1 microsecond'
    OR (last = to_timestamp(0) + $2 * interval '1 microsecond' AND (name, what) > ($3::text, $4::text))
ORDER BY last DESC, name, what LIMIT $1
"""
