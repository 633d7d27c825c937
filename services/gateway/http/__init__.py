"""Every request and every answer: the server, the guard, problems, connections."""
