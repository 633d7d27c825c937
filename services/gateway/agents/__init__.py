"""What agents are told: their settings, and orders."""
