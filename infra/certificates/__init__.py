"""TLS of our listeners: a certificate authority of our own, or given files; checked, renewed, loaded again."""
