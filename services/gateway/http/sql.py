"""What every changing request writes."""

from __future__ import annotations

RECORD = """
INSERT INTO audit (who, by, address, action, target, before, after) VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb)
"""
