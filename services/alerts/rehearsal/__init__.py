"""What an alert rule would have done: it is played over stored history, in a process of its own."""
