"""Reads one machine, keeps batches on disk until the bus has them, and publishes."""
