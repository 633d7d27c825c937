"""`sonde hosts`: the fleet as a table."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from infra.cli import reach
from infra.settings import ServerSettings

HOSTS = "SELECT name, state, facts, first_seen, last_sample FROM hosts WHERE state <> 'removing' ORDER BY name"


async def hosts(settings: ServerSettings) -> int:
    """Print one line per host."""
    async with reach.database(settings.database_url, "hosts") as database:
        rows = await database.fetch(HOSTS)
    now = datetime.now(UTC)
    print(f"{'HOST':24} {'LAST SAMPLE':>12} {'CORES':>5} {'MEMORY':>9}  OS")
    for row in rows:
        facts = json.loads(row["facts"])
        age = "never" if row["last_sample"] is None else f"{(now - row['last_sample']).total_seconds():.0f} s ago"
        note = " (archived)" if row["state"] == "archived" else ""
        memory = f"{facts.get('memory', 0) / 2**30:.1f} GiB"
        print(f"{row['name']:24} {age:>12} {facts.get('cores', 0):>5} {memory:>9}  {facts.get('os', '')}{note}")
    return 0
