"""Agents as members of the fleet: how they join, leave and are removed, how they behave, and what they are told."""
