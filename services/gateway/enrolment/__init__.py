"""How machines join: tokens, admission, and what they install from."""
