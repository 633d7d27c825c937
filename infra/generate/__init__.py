"""Files that are made from the schemas: the dashboard's types and docs/metrics.md."""
