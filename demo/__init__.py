"""A simulated fleet: what it measures at any moment, its past in the tables, and its present on the bus."""
