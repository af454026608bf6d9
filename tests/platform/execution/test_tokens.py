"""The two tokens: what is in them, which are refused, and that a key is proved before anybody relies on it."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Mapping

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from kivuko.errors import SettingInvalid, Unauthenticated
from kivuko.platform.execution import RunTokens, WorkerTokens, public_key_of
from kivuko.records import new_id
from server.lanes.workers.worlds import private_key

SECRET = "shared by server and workers, as it should be"


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """A private key as text."""
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def told(**changes: object) -> dict[str, object]:
    """The claims of OpenFn's worker."""
    claims = {"worker_id": "fuzzy-cats-run", "iat": int(time.time()), "iss": "urn:openfn:worker", **changes}
    return {key: value for key, value in claims.items() if value is not None}


def test_a_run_token_says_what_openfns_worker_checks() -> None:
    tokens, attempt = RunTokens(private_key(), now_s=lambda: 1000.9), new_id()
    signed = tokens.sign(attempt, 3, 60, foreign=True)
    assert jwt.get_unverified_header(signed)["alg"] == "RS256"
    claims = jwt.decode(signed, options={"verify_signature": False})
    assert claims == {
        "iss": "Lightning",
        "id": str(attempt),
        "sub": f"run:{attempt}",
        "nbf": 1000,
        "exp": 1060,
        "kivuko_claim": 3,
    }


def test_the_public_key_verifies_it() -> None:
    signed = RunTokens(private_key()).sign(new_id(), 1, 60, foreign=True)
    assert jwt.decode(signed, public_key_of(private_key()), algorithms=["RS256"], issuer="Lightning")


@pytest.mark.parametrize("foreign", [True, False])
def test_a_run_token_is_read_by_every_node_with_the_same_key(foreign: bool) -> None:
    attempt = new_id()
    signed = RunTokens(private_key()).sign(attempt, 7, 60, foreign=foreign)
    read = RunTokens(private_key()).read(signed)
    assert (read.attempt_id, read.claim_number) == (attempt, 7)


@pytest.mark.parametrize("foreign", [True, False])
def test_an_expired_token_is_read_and_known_as_expired(foreign: bool) -> None:
    now = [1000.0]
    tokens = RunTokens(private_key(), now_s=lambda: now[0])
    token = tokens.read(tokens.sign(new_id(), 1, 60, foreign=foreign))
    assert not tokens.expired(token)
    now[0] = 1066.0
    assert tokens.expired(token)


def bad_run_tokens() -> Mapping[str, str]:
    """Tokens that are none of ours."""
    attempt, other = new_id(), rsa.generate_private_key(public_exponent=65537, key_size=2048)
    ours = RunTokens(private_key())
    good = jwt.decode(ours.sign(attempt, 1, 60, foreign=True), options={"verify_signature": False})
    key = serialization.load_pem_private_key(private_key().encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=").decode()
    signed = f"{header}.{base64.urlsafe_b64encode(json.dumps(good).encode()).rstrip(b'=').decode()}"
    mac = hmac.digest(public_key_of(private_key()).encode(), signed.encode(), "sha256")
    return {
        "no token at all": "",
        "no JWT": "a.b.c",
        "of another key": RunTokens(pem(other)).sign(attempt, 1, 60, foreign=True),
        "of another key, HS256": RunTokens(pem(other)).sign(attempt, 1, 60, foreign=False),
        "signed with the public key as secret": f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}",
        "unsigned": jwt.encode(good, "", algorithm="none"),
        "a header without its signature": header + ".e30.",
        "of another issuer": jwt.encode({**good, "iss": "urn:openfn:worker"}, key, algorithm="RS256"),
        "for another subject": jwt.encode({**good, "sub": f"run:{new_id()}"}, key, algorithm="RS256"),
        "without a claim number": jwt.encode({name: good[name] for name in good if name != "kivuko_claim"}, key, algorithm="RS256"),
        "with an id that is none": jwt.encode({**good, "id": "1", "sub": "run:1"}, key, algorithm="RS256"),
        "not valid yet": jwt.encode({**good, "nbf": int(time.time()) + 3600}, key, algorithm="RS256"),
        "without an end": jwt.encode({name: good[name] for name in good if name != "exp"}, key, algorithm="RS256"),
    }


BAD = (
    "no token at all",
    "no JWT",
    "of another key",
    "of another key, HS256",
    "signed with the public key as secret",
    "unsigned",
    "a header without its signature",
    "of another issuer",
    "for another subject",
    "without a claim number",
    "with an id that is none",
    "not valid yet",
    "without an end",
)


@pytest.fixture(scope="module")
def bad() -> Mapping[str, str]:
    """Made once."""
    return bad_run_tokens()


def test_every_bad_token_is_in_the_table(bad: Mapping[str, str]) -> None:
    assert tuple(bad) == BAD


@pytest.mark.parametrize("name", BAD)
def test_a_run_token_that_is_none_of_ours_is_refused(name: str, bad: Mapping[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        RunTokens(private_key()).read(bad[name])


@pytest.mark.parametrize("text", ["", "no key", pem(ec.generate_private_key(ec.SECP256R1()))], ids=["empty", "no-key", "elliptic"])
def test_a_key_that_is_no_rsa_key_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(SettingInvalid, match="key of run tokens"):
        RunTokens(text)


def test_openfns_worker_is_let_in_for_ever() -> None:
    # iss, iat and worker_id, and nothing else: no expiry (worker-protocol §6.1); its clock may be ahead.
    for made_at in (1, int(time.time()), int(time.time()) + 86_400):
        assert WorkerTokens(SECRET).read(jwt.encode(told(iat=made_at), SECRET, algorithm="HS256")) == "fuzzy-cats-run"


@pytest.mark.parametrize(
    ("signed", "secret"),
    [
        pytest.param(told(), "wrong" * 10, id="another secret"),
        pytest.param(told(worker_id=None), SECRET, id="no worker"),
        pytest.param(told(worker_id=""), SECRET, id="an empty name"),
        pytest.param(told(worker_id=5), SECRET, id="a number as name"),
        pytest.param(told(iat=None), SECRET, id="no time"),
        pytest.param(told(iss="Lightning"), SECRET, id="another issuer"),
        pytest.param(told(iss=None), SECRET, id="no issuer"),
    ],
)
def test_a_worker_that_is_none_of_ours_is_refused(signed: dict[str, object], secret: str) -> None:
    with pytest.raises(Unauthenticated):
        WorkerTokens(SECRET).read(jwt.encode(signed, secret, algorithm="HS256"))


@pytest.mark.parametrize("text", ["", "x", "a.b.c"])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        WorkerTokens(SECRET).read(text)


def test_openfns_short_secrets_are_taken() -> None:
    # The captures' secret is abc123; no warning at every connection.
    signed = "eyJhbGciOiJIUzI1NiJ9." + base64.urlsafe_b64encode(json.dumps(told()).encode()).rstrip(b"=").decode()
    mac = base64.urlsafe_b64encode(hmac.digest(b"abc123", signed.encode(), "sha256")).rstrip(b"=").decode()
    assert WorkerTokens("abc123").read(f"{signed}.{mac}") == "fuzzy-cats-run"
    with pytest.raises(Unauthenticated):
        WorkerTokens("abc124").read(f"{signed}.{mac}")


def test_an_unsigned_worker_token_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        WorkerTokens(SECRET).read(jwt.encode(told(), "", algorithm="none"))


@pytest.mark.parametrize("secret", ["", "<secret>"])
def test_a_secret_that_everybody_knows_is_none(secret: str) -> None:
    with pytest.raises(SettingInvalid, match="worker secret"):
        WorkerTokens(secret)
