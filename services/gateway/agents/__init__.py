"""Agents as members of the fleet: what they are told, whom they are for people, and how hosts leave."""
