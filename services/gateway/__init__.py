"""Serves REST, the live stream and the dashboard."""
