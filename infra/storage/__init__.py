"""PostgreSQL: connections, migrations, the two engines, positions, packed columns, sketches."""
