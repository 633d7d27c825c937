"""The bus as docs/bus.md describes it."""
