"""The two ways to keep family tables: native partitions, and TimescaleDB hypertables."""
