"""The alert machine, its evaluation, its outbox and the service around them."""
