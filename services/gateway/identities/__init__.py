"""Identities of agents: proven, signed, taken back, and told to the servers of the bus."""
