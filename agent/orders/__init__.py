"""What the agent is told: settings and orders."""
