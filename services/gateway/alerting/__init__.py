"""REST on alerts, rules and channels; the alerts service itself is another room."""
