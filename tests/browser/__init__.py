"""The dashboard in a real browser, and what keeps it true to the schemas."""
