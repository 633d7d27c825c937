"""From samples to the bus: batches, lanes, live samples and events."""
