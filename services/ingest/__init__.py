"""Writes batches from the bus into the family tables, exactly once."""
