"""From incidents to messages: who is told of what, when, and why not."""
