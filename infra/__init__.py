"""How this program meets the outside: process, settings, bus, database, migrations, embedded servers, command line."""
