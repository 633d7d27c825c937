"""Transitions to the world: the bus and Slack."""
