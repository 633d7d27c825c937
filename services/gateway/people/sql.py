"""What the gateway and the command line ask of users, their links and second factors."""

from __future__ import annotations

LOCK = "LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE"
"""Two changes at once, each of which leaves an administrator, wait for one another here."""

_USER = "id, name, role, disabled, source, totp_secret IS NOT NULL AS second_factor, created, last_login"

USERS = f"SELECT {_USER} FROM users ORDER BY name"

USER = f"SELECT {_USER} FROM users WHERE id = $1"

ROLES = "SELECT id, role FROM users WHERE id = ANY($1) AND NOT disabled"

USER_NAMED = f"SELECT {_USER} FROM users WHERE name = $1"

# Against deletion until the transaction ends; what refers to a user is to be added after this.
STAYS = "SELECT true FROM users WHERE id = $1 AND NOT disabled FOR KEY SHARE"

USER_OF = f"SELECT {_USER} FROM users WHERE source = $1 AND subject = $2"

ADD_USER = f"""
INSERT INTO users (name, role, source, subject) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING {_USER}
"""

CHANGE_USER = "UPDATE users SET role = coalesce($2, role), disabled = coalesce($3, disabled) WHERE id = $1"

DELETE_USER = "DELETE FROM users WHERE id = $1"

ADMINS = "SELECT count(*) FROM users WHERE role = 'admin' AND NOT disabled"

# What a login is compared with.
LOGIN = "SELECT id, name, role, disabled, password, totp_secret, totp_step FROM users WHERE name = $1"

HAS = "SELECT totp_secret IS NOT NULL AS second_factor, password IS NOT NULL AS has_password FROM users WHERE id = $1"

PASSWORD = "SELECT password FROM users WHERE id = $1"

FACTOR = "SELECT totp_secret, totp_offered FROM users WHERE id = $1"

SET_PASSWORD = "UPDATE users SET password = $2 WHERE id = $1"

# Only of whom the old one is still the password, and the session is still open.
CHANGE_PASSWORD = """
UPDATE users SET password = $2
WHERE id = $1 AND NOT disabled AND password = $3
  AND ($4::integer IS NULL OR EXISTS (SELECT FROM sessions WHERE id = $4 AND user_id = $1))
RETURNING id
"""

# Made anew with today's parameters, unless it was changed meanwhile.
REHASH = "UPDATE users SET password = $2 WHERE id = $1 AND password = $3"

# Somebody enters, unless they were disabled or deleted, or have another password ($2) or second factor ($3), since they
# were looked at.
# The row of users is locked first, here as in every change of a user: two that meet wait, and none is a deadlock.
CAME = "UPDATE users SET last_login = now() WHERE id = $1 AND NOT disabled RETURNING id"

CAME_BY_PASSWORD = """
UPDATE users SET last_login = now()
WHERE id = $1 AND NOT disabled AND password = $2 AND totp_secret IS NOT DISTINCT FROM $3 RETURNING id
"""

OFFER_FACTOR = "UPDATE users SET totp_offered = $2 WHERE id = $1"

CONFIRM_FACTOR = """
UPDATE users SET totp_secret = totp_offered, totp_offered = NULL, totp_step = $3 WHERE id = $1 AND totp_offered = $2
"""

REMOVE_FACTOR = "UPDATE users SET totp_secret = NULL, totp_offered = NULL WHERE id = $1 AND totp_secret IS NOT NULL"

# Each step's code is good once, whoever comes first.
USE_STEP = "UPDATE users SET totp_step = $2 WHERE id = $1 AND totp_step < $2 RETURNING true"

DROP_CODES = "DELETE FROM recovery_codes WHERE user_id = $1"

ADD_CODES = "INSERT INTO recovery_codes (user_id, hash) SELECT $1, unnest($2::bytea[])"

USE_CODE = "DELETE FROM recovery_codes WHERE user_id = $1 AND hash = $2 RETURNING true"

CODES_LEFT = "SELECT count(*) FROM recovery_codes WHERE user_id = $1"

DROP_LINKS = "DELETE FROM login_links WHERE user_id = $1"

ADD_LINK = "INSERT INTO login_links (hash, user_id, expires) VALUES ($1, $2, $3)"

# First the row of the user, then the link: of two that bring it at once the second finds it used.
CAME_BY_LINK = """
UPDATE users u SET last_login = now() FROM login_links l
WHERE l.hash = $1 AND l.expires > now() AND u.id = l.user_id AND NOT u.disabled
RETURNING u.id, u.name, u.role
"""

USE_LINK = "DELETE FROM login_links WHERE hash = $1 RETURNING true"

DROP_OLD_LINKS = "DELETE FROM login_links WHERE expires < $1"
