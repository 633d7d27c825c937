"""Who may: users, passwords, sessions, tokens, second factors, and what the audit log knows."""
