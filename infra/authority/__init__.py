"""Who may use the bus: keys, the JWTs they sign, and what the servers are told of them."""
