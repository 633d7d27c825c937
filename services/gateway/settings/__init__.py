"""Runtime settings: reading, changing, announcing."""
