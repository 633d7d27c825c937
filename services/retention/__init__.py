"""Makes room for new data and drops what is old."""
