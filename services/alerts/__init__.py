"""Judges the same batches by rules, keeps alert states, and tells people."""
