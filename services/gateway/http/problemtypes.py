"""Every type of problem that the gateway answers: its status, a title that never changes, and what it means.

A type is a relative URI and stable: programs may tell problems apart by it. `about:blank` is for what HTTP's own status
says in full (404 of a path that no resource has, 405, 500).
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

BLANK = "about:blank"


class ProblemType(Struct, frozen=True):
    status: int
    title: str
    meaning: str
    """What it means and what to do, in one or two sentences."""


_UNKNOWN = {
    "host": "hosts",
    "rule": "rules",
    "incident": "incidents",
    "silence": "silences",
    "route": "routes",
    "channel": "channels",
    "setting": "settings",
    "enrolment-token": "enrolment tokens",
    "user": "users",
    "session": "sessions",
    "token": "API tokens",
    "viewer": "viewers",
    "view": "saved views",
}

PROBLEM_TYPES: Mapping[str, ProblemType] = {
    "/problems/invalid": ProblemType(
        400, "Invalid request", "A parameter or a field is wrong; `errors` names each, its value and what is allowed."
    ),
    "/problems/forwarded": ProblemType(
        400, "Contradicting headers", "Forwarded and X-Forwarded-* disagree; let the proxy in front set one kind."
    ),
    "/problems/challenge": ProblemType(
        401, "Challenge not valid", "The challenge that was signed is not ours or too old; ask for a new one."
    ),
    "/problems/proof": ProblemType(401, "Proof not valid", "The signature does not fit the key and the challenge."),
    "/problems/enrolment-unknown": ProblemType(401, "Token unknown", "There is no such enrolment token."),
    "/problems/login-required": ProblemType(401, "Login required", "Log in, or send an API token."),
    "/problems/token": ProblemType(401, "API token not valid", "The API token is unknown, expired or revoked."),
    "/problems/wrong-login": ProblemType(401, "Wrong name or password", "Name, password or code are not right."),
    "/problems/second-factor": ProblemType(
        401, "Second factor required", "The account has a second factor: log in with a code of its authenticator, too."
    ),
    "/problems/wrong-link": ProblemType(401, "Link not valid", "The one-time link is unknown, used or expired."),
    "/problems/role": ProblemType(403, "Role too low", "The account or the token has not the role that this needs."),
    "/problems/scope": ProblemType(
        403, "Scope missing", "The token is for other parts of the API alone; make one with the scope that this needs."
    ),
    "/problems/needs-login": ProblemType(403, "Not with a token", "API tokens may not do this: log in as a person."),
    "/problems/origin-required": ProblemType(
        403, "Origin required", "A change by a cookie comes without saying of which page; programs use API tokens."
    ),
    "/problems/enrolment-used": ProblemType(403, "Token used up", "As many machines enrolled with it as it was for."),
    "/problems/enrolment-expired": ProblemType(403, "Token expired", "The enrolment token was not used in time."),
    "/problems/enrolment-withdrawn": ProblemType(403, "Token withdrawn", "Somebody withdrew the enrolment token."),
    "/problems/enrolment-name": ProblemType(
        403, "Name not allowed", "The name does not fit the pattern of the enrolment token."
    ),
    "/problems/enrolment-key": ProblemType(
        403, "Key in use", "The key has an identity by another token; a new identity needs a new key."
    ),
    "/problems/enrolment-host": ProblemType(
        403, "Host being removed", "The host that the enrolment token is for is being removed."
    ),
    "/problems/identity-revoked": ProblemType(
        403, "Identity revoked", "Somebody ended this identity; enrol with a new token."
    ),
    "/problems/identity-unknown": ProblemType(
        403, "Identity unknown", "The key has no identity here; enrol with a token."
    ),
    "/problems/tls-required": ProblemType(
        403, "TLS required", "The request carries secrets and came without TLS; see SONDE_TLS."
    ),
    "/problems/cross-origin": ProblemType(
        403, "Request of another origin", "A page of another origin asked, which may neither change nor use anything."
    ),
    **{
        f"/problems/unknown-{one}": ProblemType(
            404,
            f"Unknown {one.replace('-', ' ')}",
            f"There is none of that name; the list of {many} has all.",
        )
        for one, many in _UNKNOWN.items()
    },
    "/problems/unknown-rehearsal": ProblemType(
        404, "Unknown rehearsal", "It is not known, or was forgotten, as later ones came; order it again."
    ),
    "/problems/unknown-verb": ProblemType(404, "Unknown command", "There is no such command; see the path's `verb`."),
    "/problems/unknown-wheel": ProblemType(404, "Unknown wheel", "No wheel of that name is served here."),
    "/problems/removed-host": ProblemType(
        404, "Host removed", "There was such a host; a machine that enrols under its name makes it anew."
    ),
    "/problems/no-identity": ProblemType(404, "No identity", "The host never enrolled, or its identity was revoked."),
    "/problems/too-slow": ProblemType(408, "Body too slow", "The body of the request did not arrive in time."),
    "/problems/exists": ProblemType(409, "Exists already", "There is one of that id or name; PUT replaces it."),
    "/problems/name-taken": ProblemType(409, "Name taken", "There is somebody of that name."),
    "/problems/too-many": ProblemType(409, "As many as may be", "There are as many as there may be; remove some."),
    "/problems/user-disabled": ProblemType(409, "User disabled", "Enable the user first."),
    "/problems/last-administrator": ProblemType(
        409, "Last administrator", "Somebody must be left who is an administrator and not disabled."
    ),
    "/problems/no-account": ProblemType(409, "Account deleted", "The account was deleted or disabled a moment ago."),
    "/problems/no-password": ProblemType(
        409, "No password", "The account has no password to change; an administrator's one-time link gives it one."
    ),
    "/problems/password-changed": ProblemType(
        409, "Password changed meanwhile", "Somebody else gave the account a new password, or ended the session."
    ),
    "/problems/no-second-factor": ProblemType(409, "No second factor", "The account has none, or none to confirm."),
    "/problems/second-factor-there": ProblemType(409, "Second factor there", "The account has one; remove it first."),
    "/problems/archived-host": ProblemType(409, "Host archived", "No agent answers for an archived host."),
    "/problems/host-exists": ProblemType(409, "Host exists", "There is a host of that name already."),
    "/problems/in-use": ProblemType(409, "In use", "Others name it; `detail` says which."),
    "/problems/incident-over": ProblemType(409, "Incident over", "There is nothing to acknowledge any more."),
    "/problems/unreadable": ProblemType(
        409,
        "Not readable",
        "It is stored in a form that this version does not understand; PUT replaces it, DELETE removes it.",
    ),
    "/problems/unreadable-rule": ProblemType(
        409,
        "Rule not readable",
        "The rule is stored in a form that this version does not understand; PUT replaces it, DELETE removes it.",
    ),
    "/problems/refused-command": ProblemType(
        409, "Command refused", "The agent got the command and refused it; `detail` has its words."
    ),
    "/problems/version-conflict": ProblemType(
        412, "Changed meanwhile", "The version in If-Match is not the present one, which ETag has; read, then repeat."
    ),
    "/problems/too-large": ProblemType(413, "Body too large", "The body of the request is larger than is read."),
    "/problems/media-type": ProblemType(415, "Not JSON", "The Content-Type of the body must be application/json."),
    "/problems/host-name": ProblemType(
        421, "Host name not allowed", "The gateway does not answer under that name; see SONDE_PUBLIC_URL."
    ),
    "/problems/version-required": ProblemType(
        428, "Version required", "A change needs If-Match: the ETag that was read, or * to replace whatever is there."
    ),
    "/problems/too-many-tries": ProblemType(429, "Too many failed tries", "Wait as long as Retry-After says."),
    "/problems/too-many-streams": ProblemType(
        429, "Too many streams", "You have as many live streams open as the setting max_viewers_per_person allows."
    ),
    "/problems/too-many-selections": ProblemType(
        429, "Too many selections", "You watch as many selections as the setting max_selections_per_person allows."
    ),
    "/problems/identity-suspended": ProblemType(
        429, "Identity suspended", "The agent flooded the bus; it gets no new JWT until Retry-After is over."
    ),
    "/problems/database-away": ProblemType(
        503, "Database away", "The database did not answer, or has no tables yet; retry."
    ),
    "/problems/bus-away": ProblemType(503, "Bus away", "The gateway is not connected to NATS; retry."),
    "/problems/alerts-away": ProblemType(
        503, "Alert service away", "The alert service does not run, or is away from the bus; retry."
    ),
    "/problems/agent-offline": ProblemType(503, "Agent offline", "The agent is not connected to the bus; retry."),
    "/problems/busy": ProblemType(503, "Too many at once", "As many requests of the kind wait as may; retry."),
    "/problems/no-authority": ProblemType(
        503, "No authority", "The gateway has no keys to sign identities with; see `sonde authority`."
    ),
    "/problems/too-many-exports": ProblemType(503, "Too many exports", "As many exports run as may; retry."),
    "/problems/too-many-viewers": ProblemType(
        503, "Too many viewers", "As many live streams are open as the setting max_viewers allows."
    ),
    "/problems/dropped": ProblemType(
        503, "Rows dropped meanwhile", "Retention dropped rows of the range during the export; ask for a later range."
    ),
    "/problems/alerts-silent": ProblemType(504, "Alert service silent", "The alert service did not answer in time."),
    "/problems/agent-silent": ProblemType(
        504, "Agent silent", "The agent did not answer in time; the same Idempotency-Key runs nothing twice."
    ),
}
