"""The present in memory: each host's state, latest values and last minute."""
