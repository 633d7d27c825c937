"""The outside: embedded servers, migrations, storage engines, bus and database."""
