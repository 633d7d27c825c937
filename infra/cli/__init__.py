"""The `sonde` command. It wires rooms together, so it alone may import them all."""
