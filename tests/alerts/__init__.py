"""The alert machine, its evaluation, telling people of it, and the service around them."""
