"""How agents behave on the bus, and what is done about it."""
