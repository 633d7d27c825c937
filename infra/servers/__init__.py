"""The parts of the embedded servers: a process that dies with us, and a PostgreSQL cluster on disk."""
