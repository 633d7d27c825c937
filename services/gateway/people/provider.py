"""The OpenID Connect provider: where its doors are, its keys, and codes for what it says of people.

Everything that comes from it is bounded in time and size. Keys are kept for an hour, and read again once in a while for
a token that names another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import msgspec
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from msgspec import Meta, Struct

from infra.addresses import is_private_or_encrypted
from infra.settings import ServerSettings, SettingError
from services.gateway.http.problems import unavailable
from services.gateway.people.attempt import seal_key

TOTAL_S = 10.0
"""For one request with everything, also the wait for its turn."""
ANSWER_BYTES = 256 * 1024
KEEP_S = 3600.0
"""How long its configuration and keys are kept."""
AGAIN_S = 30.0
"""How soon keys are read again at the earliest."""
SKEW_S = 60
"""How far its clock and ours may be apart."""
AT_ONCE = 8
MOST_LOGINS = 64
"""At once, with those that wait for their turn to ask."""
MOST_OF_A_NETWORK = 6
"""Of them; fewer than ask at once, so that no single one keeps all others waiting while the provider is slow."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures by a key that the provider alone has: never `none`, nor one by the secret that we have, too."""

Address = Annotated[str, Meta(min_length=1, max_length=2000)]


class ProviderError(Exception):
    """The provider did not do as it should; the text is for the log and has no secret."""


class UnknownKey(ProviderError):
    """No key that we know fits; the provider may have a new one."""


class Configuration(Struct, frozen=True):
    """What the provider publishes about itself."""

    issuer: str
    authorization_endpoint: Address
    token_endpoint: Address
    jwks_uri: Address
    userinfo_endpoint: str = ""
    authorization_response_iss_parameter_supported: bool = False
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Tokens(Struct, frozen=True):
    """What a code was exchanged for."""

    id_token: str
    access_token: str = ""


class Provider:
    """One provider, by its issuer, and who we are to it."""

    def __init__(self, issuer: str, client_id: str, client_secret: str) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self.seal_key = seal_key(client_secret, f"{issuer} {client_id}")
        """Of the cookies of those who are at the provider."""
        self._secret = client_secret
        self._configuration: tuple[Configuration, float] | None = None
        self._keys: tuple[KeySet, float] | None = None
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._logins: Counter[str] = Counter()
        """By network, as `neighbourhood` tells them apart."""
        self._trust: ssl.SSLContext | None = None
        self._trusting = asyncio.Lock()

    @contextlib.contextmanager
    def login(self, network: str) -> Iterator[None]:
        """Around all that one login from `network` asks, so that none is refused half-way, with its code used up.

        Raises ProblemError 503 where too many are at it, from there or from everywhere.
        """
        if self._logins.total() >= MOST_LOGINS or self._logins[network] >= MOST_OF_A_NETWORK:
            raise unavailable("too many people log in at once; load this page again", "/problems/busy", 5)
        self._logins[network] += 1
        try:
            yield
        finally:
            self._logins[network] -= 1
            if not self._logins[network]:
                del self._logins[network]

    async def configuration(self) -> Configuration:
        """Raises ProviderError."""
        if self._configuration is None or time.monotonic() - self._configuration[1] > KEEP_S:
            body = await self._ask("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            try:
                found = msgspec.json.decode(body, type=Configuration)
            except (ValueError, RecursionError) as error:
                raise ProviderError(f"its configuration cannot be read: {error}") from None
            if found.issuer != self.issuer:
                raise ProviderError(f"it calls itself {found.issuer[:200]!r}; set SONDE_OIDC_ISSUER to that")
            for url in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri, found.userinfo_endpoint):
                if url and not is_private_or_encrypted(url):
                    raise ProviderError(f"its configuration has an address without TLS: {url[:200]!r}")
            self._configuration = (found, time.monotonic())
        return self._configuration[0]

    async def exchange(self, code: str, verifier: str, redirect_uri: str) -> Tokens:
        """What the provider gives for `code`, which is good once. Raises ProviderError."""
        known = await self.configuration()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        form |= {"code_verifier": verifier, "client_id": self.client_id}
        user = None
        if self._secret and "client_secret_basic" in known.token_endpoint_auth_methods_supported:
            user = (quote(self.client_id, safe=""), quote(self._secret, safe=""))  # RFC 6749, 2.3.1
        elif self._secret:
            form["client_secret"] = self._secret
        body = await self._ask("POST", known.token_endpoint, data=form, auth=user)
        try:
            return msgspec.json.decode(body, type=Tokens)
        except (ValueError, RecursionError):
            raise ProviderError("its answer to the code has no ID token") from None

    async def claims(self, tokens: Tokens, nonce: str) -> Mapping[str, Any]:
        """What the ID token says, which is the provider's own, for us, of this login. Raises ProviderError."""
        try:
            claims = verified(tokens, await self._key_set(False), self.issuer, self.client_id, nonce)
        except UnknownKey:
            claims = verified(tokens, await self._key_set(True), self.issuer, self.client_id, nonce)
        return claims

    async def userinfo(self, tokens: Tokens, subject: str) -> Mapping[str, Any]:
        """What the provider says besides of the same person; empty where it cannot be asked that.

        Raises ProviderError.
        """
        known = await self.configuration()
        if not known.userinfo_endpoint or not tokens.access_token:
            return {}
        bearer = {"Authorization": f"Bearer {tokens.access_token}"}
        body = await self._ask("GET", known.userinfo_endpoint, headers=bearer)
        found = _object(body)
        if found.get("sub") != subject:
            raise ProviderError("its userinfo is of somebody else")
        return found

    async def _key_set(self, again: bool) -> KeySet:
        age_s = time.monotonic() - self._keys[1] if self._keys else KEEP_S + 1
        if self._keys is None or age_s > KEEP_S or (again and age_s > AGAIN_S):
            body = _object(await self._ask("GET", (await self.configuration()).jwks_uri))
            try:
                self._keys = (KeySet.import_key_set(body), time.monotonic())  # type: ignore[arg-type]
            except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                raise ProviderError(f"its keys cannot be read: {type(error).__name__}") from None
        return self._keys[0]

    async def _ask(self, method: str, url: str, **more: Any) -> bytes:
        """The body of a good answer. Raises ProviderError, whose text repeats nothing of the answer but its `error`."""
        try:
            async with (
                asyncio.timeout(TOTAL_S),
                self._turn,
                httpx.AsyncClient(verify=await self._trusted(), follow_redirects=False, timeout=TOTAL_S) as http,
                http.stream(method, url, **{key: value for key, value in more.items() if value is not None}) as answer,
            ):
                body = b"".join([part async for part in _bounded(answer)])
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            reason = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
            raise ProviderError(f"it cannot be asked: {reason}") from None
        if answer.status_code != 200:
            raise ProviderError(f"it answered {answer.status_code}{_error_in(body)}")
        return body

    async def _trusted(self) -> ssl.SSLContext:
        """Whom to trust over TLS: made once, in a thread, since reading all certificates takes tens of milliseconds."""
        async with self._trusting:
            if self._trust is None:
                self._trust = await asyncio.to_thread(httpx.create_ssl_context)
        return self._trust


def provider_of(settings: ServerSettings) -> Provider | None:
    """The provider that the settings name; None when they name none. Reads the secret's file. Raises SettingError."""
    if not settings.oidc_issuer:
        return None
    if not settings.oidc_client_id:
        raise SettingError("SONDE_OIDC_CLIENT_ID: empty; give what the provider calls the gateway")
    secret, path = "", settings.oidc_client_secret_file
    if path:
        try:
            secret = Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not text"
            raise SettingError(f"SONDE_OIDC_CLIENT_SECRET_FILE: {path}: {reason}; give a readable file") from None
    return Provider(settings.oidc_issuer, settings.oidc_client_id, secret)


async def _bounded(answer: httpx.Response) -> AsyncIterator[bytes]:
    size = 0
    async for part in answer.aiter_bytes():
        size += len(part)
        if size > ANSWER_BYTES:
            raise ValueError(f"more than {ANSWER_BYTES} bytes")
        yield part


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ProviderError("its answer is no JSON object")
    return found


def _error_in(body: bytes) -> str:
    """The error code of RFC 6749 in an answer, which has no secret."""
    try:
        code = _object(body).get("error", "")
    except ProviderError:
        return ""
    plain = isinstance(code, str) and code.isascii() and code.replace("_", "").isalnum() and len(code) < 60
    return f", {code}" if plain and code else ""


def verified(tokens: Tokens, keys: KeySet, issuer: str, client_id: str, nonce: str) -> Mapping[str, Any]:
    """The claims of an ID token. Raises ProviderError, and UnknownKey where newer keys may help."""
    try:
        token = jwt.decode(tokens.id_token, keys, algorithms=ALGORITHMS)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        name = type(error).__name__
        if name in ("InvalidKeyIdError", "MissingKeyError", "BadSignatureError"):
            raise UnknownKey(f"its ID token cannot be trusted: {name}") from None
        raise ProviderError(f"its ID token cannot be trusted: {name}") from None
    options: Any = {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": client_id}}
    params = {"nonce": nonce, "client_id": client_id, "access_token": tokens.access_token}
    claims = CodeIDToken(token.claims, token.header, options, params)
    try:
        claims.validate(leeway=SKEW_S)
    except (JoseError, ValueError, TypeError, AttributeError) as error:
        raise ProviderError(f"its ID token is not good: {error}"[:200]) from None
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise ProviderError("its ID token names nobody")
    return dict(token.claims)
