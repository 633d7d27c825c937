"""The whole configuration as one document: exported, compared, imported."""
