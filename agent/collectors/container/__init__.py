"""Containers: the engine's API and their control groups."""
