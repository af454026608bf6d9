"""The two tokens of the worker protocol: who may connect, and who may touch one Attempt (worker-protocol §6).

Run tokens for OpenFn's workers are RS256, which their worker can verify. To sign one costs a third of a millisecond, so Kivuko's own
workers, which verify nothing, get the same claims with HS256 under a key that is derived from the private key: every node that has the
private key accepts both.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import jwt
import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from jwt.algorithms import HMACAlgorithm

from kivuko.errors import SettingInvalid, Unauthenticated
from kivuko.records import Id

__all__ = ["CLAIM_NUMBER", "RunToken", "RunTokens", "WorkerTokens", "public_key_of"]

CLAIM_NUMBER = "kivuko_claim"
"""The claim beside OpenFn's five that fences late reports (worker-protocol §14)."""

_ISSUER = "Lightning"
_WORKER_ISSUER = "urn:openfn:worker"
_LEEWAY_S = 5
_MOST_KEPT = 4096
_SHORT_SECRET_BYTES = 32
_log = structlog.get_logger(__name__)

_CLAIMS = ["iss", "id", "sub", "nbf", "exp", CLAIM_NUMBER]


@dataclass(frozen=True)
class RunToken:
    """What a run token says. Times are seconds since 1970."""

    attempt_id: Id
    claim_number: int
    expires_at_s: int


class RunTokens:
    """Signs and reads run tokens. Raises SettingInvalid when the key is no RSA key, or does not verify what it signs."""

    def __init__(self, private_key_pem: str, *, now_s: Callable[[], float] = time.time) -> None:
        key = _rsa_key(private_key_pem)
        self._now_s = now_s
        self._private, self._public = key, key.public_key()
        numbers = key.private_numbers().d.to_bytes(key.key_size // 8, "big")
        self._own = hashlib.sha256(b"kivuko run tokens\0" + numbers).digest()
        self._guard = threading.Lock()
        self._signed: OrderedDict[str, RunToken] = OrderedDict()
        self._prove()

    def sign(self, attempt_id: Id, claim_number: int, lives_s: int, *, foreign: bool) -> str:
        """A token for one claim of an Attempt; ``foreign`` is RS256."""
        now = int(self._now_s())
        name = str(attempt_id)
        claims = {"iss": _ISSUER, "id": name, "sub": f"run:{name}", "nbf": now, "exp": now + lives_s, CLAIM_NUMBER: claim_number}
        key = self._private if foreign else self._own
        token = jwt.encode(claims, key, algorithm="RS256" if foreign else "HS256")
        self._keep(token, RunToken(attempt_id, claim_number, now + lives_s))
        return token

    def read(self, token: str) -> RunToken:
        """What a token says; one that has expired is read all the same. Raises Unauthenticated for any that is not ours."""
        with self._guard:
            kept = self._signed.get(token)
        return self._verified(token) if kept is None else kept

    def _keep(self, token: str, read: RunToken) -> None:
        """Most tokens come back to the node that signed them, within a moment."""
        with self._guard:
            self._signed[token] = read
            if len(self._signed) > _MOST_KEPT:
                self._signed.popitem(last=False)

    def _verified(self, token: str) -> RunToken:
        try:
            ours = jwt.get_unverified_header(token).get("alg") == "HS256"
            claims = jwt.decode(
                token,
                self._own if ours else self._public,
                algorithms=["HS256"] if ours else ["RS256"],
                issuer=_ISSUER,
                leeway=_LEEWAY_S,
                options={"require": _CLAIMS, "verify_exp": False},
            )
            read = RunToken(Id.parse(claims["id"]), int(claims[CLAIM_NUMBER]), int(claims["exp"]))
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError) as problem:
            raise Unauthenticated("the token is none of this server's") from problem
        if claims["sub"] != f"run:{read.attempt_id}":
            raise Unauthenticated("the token is for something else")
        return read

    def expired(self, token: RunToken) -> bool:
        """Whether its time is over."""
        return self._now_s() > token.expires_at_s + _LEEWAY_S

    def _prove(self) -> None:
        """A pair that does not fit would make every OpenFn worker shut itself down (worker-protocol §6.2)."""
        probe = Id(bytes(16))
        for foreign in (True, False):
            self._verified(self.sign(probe, 1, 60, foreign=foreign))


class WorkerTokens:
    """Reads the tokens that workers connect with. Raises SettingInvalid for a secret that everybody knows, or none."""

    def __init__(self, secret: str) -> None:
        if secret in ("", "<secret>"):
            raise SettingInvalid(
                f"the worker secret is {'empty' if not secret else 'the placeholder ' + secret}",
                fix="Set WORKER_SECRET to a long random text, the same for server and workers.",
            )
        if len(secret.encode("utf-8")) < _SHORT_SECRET_BYTES:
            _log.warning("WORKER_SECRET is short: who guesses it may execute everything", at_least_bytes=_SHORT_SECRET_BYTES)
        self._secret = secret
        self._jws = jwt.PyJWS()
        self._jws.unregister_algorithm("HS256")
        self._jws.register_algorithm("HS256", _AnyLength(HMACAlgorithm.SHA256))

    def read(self, token: str) -> str:
        """The worker's id. Raises Unauthenticated. There is no expiry: OpenFn's workers connect with one token for ever."""
        try:
            claims = json.loads(self._jws.decode(token, self._secret, algorithms=["HS256"]))
        except (jwt.InvalidTokenError, ValueError) as problem:
            raise Unauthenticated("the worker's token was not signed with this server's WORKER_SECRET") from problem
        told = claims if isinstance(claims, dict) else {}
        worker_id, made_at = told.get("worker_id"), told.get("iat")
        # A worker's clock may be ahead of ours: iat has to be there, and that is all.
        if told.get("iss") != _WORKER_ISSUER or isinstance(made_at, bool) or not isinstance(made_at, int | float):
            raise Unauthenticated("the worker's token is not one of a worker")
        if not isinstance(worker_id, str) or not worker_id:
            raise Unauthenticated("the worker's token names no worker")
        return worker_id


class _AnyLength(HMACAlgorithm):
    """PyJWT warns at every use of a short secret; OpenFn's installations have such secrets, and we say so once."""

    def check_key_length(self, key: bytes) -> str | None:
        """Any will do."""
        return None


def public_key_of(private_key_pem: str) -> str:
    """The public key as PEM: what workers verify run tokens with (``WORKER_LIGHTNING_PUBLIC_KEY`` is its base64)."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return _rsa_key(private_key_pem).public_key().public_bytes(serialization.Encoding.PEM, form).decode("ascii")


def _rsa_key(private_key_pem: str) -> RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(private_key_pem.encode("utf-8"), None)
    except (ValueError, TypeError) as problem:
        raise SettingInvalid("the key of run tokens is no private key", fix=_KEY_FIX) from problem
    if not isinstance(key, RSAPrivateKey):
        raise SettingInvalid("the key of run tokens is no RSA key", fix=_KEY_FIX)
    return key


_KEY_FIX = "Give WORKER_RUNS_PRIVATE_KEY as PEM, or as base64 of that: openssl genrsa 2048 | base64 -w0."
