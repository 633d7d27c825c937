"""The past: series, statistics, rankings and exports from raw rows and roll-ups."""
