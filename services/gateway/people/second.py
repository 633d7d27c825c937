"""The second factor: six digits that an authenticator makes anew every 30 seconds (RFC 6238). Pure."""

from __future__ import annotations

import hmac
import itertools

import pyotp
import segno

STEP_S = 30
DRIFT_STEPS = 1
"""Clocks may be off by so many steps."""
ISSUER = "Sonde"


def make_secret() -> str:
    """160 random bits, as base32."""
    return pyotp.random_base32()


def uri_of(secret: str, name: str) -> str:
    """What an authenticator is told: otpauth://totp/..."""
    return pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=name, issuer_name=ISSUER)


def step_of(secret: str, code: str, now_s: float) -> int | None:
    """Which step `code` belongs to, of those around `now_s`; None when to none. Each is compared, whichever fits."""
    digits = "".join(code.split())
    totp = pyotp.TOTP(secret, interval=STEP_S)
    present = int(now_s // STEP_S)
    fitting = None
    for step in range(present - DRIFT_STEPS, present + DRIFT_STEPS + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), digits.encode(errors="replace")):
            fitting = step
    return fitting


def qr_of(uri: str) -> tuple[str, int]:
    """The QR code of `uri` as the path of an SVG, and its size: modules along one side, quiet zone included."""
    code = segno.make(uri, micro=False)
    border = code.default_border_size
    runs: list[str] = []
    for y, row in enumerate(code.matrix):
        x = 0
        for dark, modules in itertools.groupby(row):
            length = len(list(modules))
            if dark:
                runs.append(f"M{x + border} {y + border}h{length}v1h-{length}z")
            x += length
    return "".join(runs), len(code.matrix) + 2 * border
