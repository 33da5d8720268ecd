"""Signed tokens: who gets in and why others do not, with real keys; then the fetching of keys over real HTTP."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from local_issuer import AUDIENCE, LocalIssuer

from edge_proxy.tenancy.identity import Identity, KeysWanted, Refused
from edge_proxy.tenancy.issuer import Issuer, may_ask
from edge_proxy.tenancy.signed_tokens import JwtSettings, SignedTokens
from edge_proxy.tenancy.signing_keys import MAX_AGE_SECONDS, REFETCH_BURST, REFETCH_SECONDS, SigningKeys

HS = {"alg": "HS256", "typ": "JWT"}


class FakeText:
    """What an issuer writes that has another idea of UTF-8."""

    def encode(self) -> bytes:
        return b'{"issuer": "\xff"}'


class FakeClock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer() -> Iterator[LocalIssuer]:
    made = LocalIssuer()
    made.new_key("one")
    yield made
    made.stop()


class Checks:
    """A checker of the issuer's tokens with clocks of its own, knowing the keys published now."""

    def __init__(self, issuer: LocalIssuer, **settings: Any) -> None:
        whole = {"issuer": issuer.url, "audience": [AUDIENCE], "tenant_claim": "org", "skew": 30.0, **settings}
        self.settings = JwtSettings(**whole)
        self.clock, self.wall = FakeClock(1_000.0), FakeClock(time.time())
        self.keys = SigningKeys(self.clock)
        self.tokens = SignedTokens(self.settings, self.keys, self.wall)
        self.source = Issuer(self.settings, self.keys, self.tokens)
        self.keys.begin()
        self.keys.replace(issuer.published)
        self.keys.end()

    def why(self, token: str) -> str:
        checked = self.tokens.check(token)
        assert isinstance(checked, Refused), checked
        assert token not in checked.message
        return checked.message


def test_claims_name_user_and_tenant(issuer: LocalIssuer) -> None:
    checked = Checks(issuer).tokens.check(issuer.token("one", "ada", exp=4_000_000_000))
    assert checked == Identity("acme", "ada", "jwt:one", 4_000_000_000.0)


def test_other_claims_and_a_fixed_tenant_can_be_set(issuer: LocalIssuer) -> None:
    checks = Checks(issuer, user_claim="email", tenant_claim="", tenant="all")
    checked = checks.tokens.check(issuer.token("one", email="ada@example.org"))
    assert isinstance(checked, Identity)
    assert (checked.tenant, checked.user) == ("all", "ada@example.org")


@pytest.mark.parametrize(
    ("claims", "part"),
    [
        ({"aud": "another"}, "another audience"),
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"aud": None}, "'aud'"),
        ({"iss": None}, "'iss'"),
        ({"exp": None}, "'exp'"),
        ({"sub": None}, "'sub' does not name a user"),
        ({"sub": ""}, "'sub' does not name a user"),
        ({"org": None}, "'org' does not name a tenant"),
        ({"org": ["acme"]}, "'org' does not name a tenant"),
        ({"org": "x" * 300}, "'org' does not name a tenant"),
        ({"nbf": time.time() + 3_600}, "not valid yet"),
        ({"nbf": "soon"}, "not numbers"),
        ({"exp": True}, "not numbers"),
    ],
)
def test_a_claim_that_is_wrong_or_missing_lets_nobody_in(
    issuer: LocalIssuer, claims: dict[str, Any], part: str
) -> None:
    assert part in Checks(issuer).why(issuer.token("one", **claims))


def test_the_clocks_may_differ_by_the_skew_and_no_more(issuer: LocalIssuer) -> None:
    checks = Checks(issuer)
    token = issuer.token("one", exp=int(checks.wall()) + 100, nbf=int(checks.wall()))
    begins, ends = int(checks.wall()), int(checks.wall()) + 100
    accepted = []
    for now in (begins - 30.5, begins - 29, ends + 29, ends + 30):
        checks.wall.now = now
        accepted.append(isinstance(checks.tokens.check(token), Identity))
    assert accepted == [False, True, True, False]


def test_none_and_a_public_key_used_as_a_secret_are_refused(issuer: LocalIssuer) -> None:
    checks = Checks(issuer)
    claims = {"iss": issuer.url, "aud": AUDIENCE, "sub": "eve", "org": "acme", "exp": time.time() + 60}
    unsigned = jwt.encode(claims, None, "none", headers={"kid": "one"})
    public = issuer._private["one"].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({**HS, "kid": "one"}, claims)
    ]
    signature = base64.urlsafe_b64encode(hmac.digest(public, b".".join(parts), "sha256")).rstrip(b"=")
    confused = b".".join([*parts, signature]).decode()
    assert "algorithm" in checks.why(unsigned)
    assert "algorithm" in checks.why(confused)


def test_a_symmetric_key_in_the_set_is_never_used(issuer: LocalIssuer) -> None:
    keys = SigningKeys(FakeClock(0.0))
    assert not keys.replace([{"kty": "oct", "kid": "s", "k": "c2VjcmV0"}, "rubbish", {"kty": "RSA", "use": "enc"}])


def test_a_key_is_used_for_its_own_kind_of_algorithm_only(issuer: LocalIssuer) -> None:
    issuer.new_key("rsa", "RSA", alg="RS256")
    checks = Checks(issuer)
    assert checks.keys.find("rsa", "RS256") is not None
    assert [checks.keys.find("rsa", name) for name in ("PS256", "RS512", "ES256")] == [None] * 3
    assert [checks.keys.find("one", name) for name in ("RS256", "EdDSA", "HS256")] == [None] * 3


def test_rsa_keys_without_an_algorithm_serve_those_that_are_allowed(issuer: LocalIssuer) -> None:
    issuer.new_key("rsa", "RSA")
    token = issuer.token("rsa")
    assert isinstance(Checks(issuer, algorithms=["RS256"]).tokens.check(token), Identity)
    assert "algorithm" in Checks(issuer, algorithms=["ES256"]).why(token)


def test_another_keys_signature_and_a_changed_claim_are_not_genuine(issuer: LocalIssuer) -> None:
    other = LocalIssuer()
    other.new_key("one")
    other.stop()
    checks = Checks(issuer)
    assert "not genuine" in checks.why(other.token("one", iss=issuer.url))
    head, _, signature = issuer.token("one", "ada").split(".")
    body = issuer.token("one", "eve").split(".")[1]
    assert "not genuine" in checks.why(f"{head}.{body}.{signature}")


DEEP = base64.urlsafe_b64encode(b'{"alg":' + b"[" * 5_000).decode().rstrip("=")


@pytest.mark.parametrize("token", ["a.b.c", "..", "ey.ey.ey", "eyJhbGciOiJFUzI1NiJ9..", "\ud800.x.y", f"{DEEP}.x.y"])
def test_rubbish_is_a_refusal(issuer: LocalIssuer, token: str) -> None:
    assert Checks(issuer).why(token)


async def test_an_unknown_key_is_fetched_once_and_then_known(issuer: LocalIssuer) -> None:
    checks = Checks(issuer)
    issuer.new_key("two")
    token = issuer.token("two")
    checks.clock.now += REFETCH_SECONDS
    assert checks.tokens.check(token) == KeysWanted()
    await asyncio.gather(*(checks.source.fetch() for _ in range(20)))
    assert isinstance(checks.tokens.check(token), Identity)
    assert issuer.asked["/keys"] == 1


async def test_made_up_key_ids_do_not_make_us_knock_at_the_issuer(issuer: LocalIssuer) -> None:
    checks = Checks(issuer)
    head = {"alg": "ES256", "kid": "made-up"}
    token = jwt.encode({"sub": "eve"}, issuer._private["one"], "ES256", headers=head)
    for _ in range(20):
        if checks.tokens.check(token) == KeysWanted():
            await checks.source.fetch()
    assert issuer.asked["/keys"] == REFETCH_BURST - 1  # one was the first of all
    assert "not the issuer's" in checks.why(token)
    checks.clock.now += REFETCH_SECONDS
    assert checks.tokens.check(token) == KeysWanted()


async def test_a_withdrawn_key_lets_nobody_in_after_the_next_look(issuer: LocalIssuer) -> None:
    checks = Checks(issuer)
    token = issuer.token("one")
    assert isinstance(checks.tokens.check(token), Identity)
    issuer.new_key("two")
    issuer.withdraw("one")
    await checks.source.refresh()
    assert checks.tokens.knows("jwt:one")  # not old enough to ask again
    checks.clock.now += MAX_AGE_SECONDS
    await checks.source.refresh()
    assert not checks.tokens.knows("jwt:one")
    assert not isinstance(checks.tokens.check(token), Identity)


async def test_an_issuer_that_is_down_or_has_no_keys_changes_nothing(issuer: LocalIssuer) -> None:
    checks = Checks(issuer)
    token = issuer.token("one")
    for state in ("broken", "empty"):
        checks.clock.now += MAX_AGE_SECONDS
        issuer.broken = state == "broken"
        issuer.published = []
        assert not await checks.source.fetch()
        assert isinstance(checks.tokens.check(token), Identity)


def test_keys_come_over_tls_or_from_this_machine() -> None:
    urls = ["https://id.example/keys", "http://127.0.0.1:1/", "http://id.example/keys", "file:///etc/passwd", ""]
    assert [may_ask(url) for url in urls] == [True, True, False, False, False]


@pytest.mark.parametrize("claims", [{"sub": "\ud800"}, {"org": "a\udfff"}, {"exp": 10**400}, {"nbf": -(10**400)}])
def test_claims_that_nobody_could_write_down_are_a_refusal(issuer: LocalIssuer, claims: dict[str, Any]) -> None:
    assert Checks(issuer).why(issuer.token("one", **claims))


def test_a_key_that_is_no_point_of_its_curve_is_no_key(issuer: LocalIssuer) -> None:
    issuer.published[0]["y"] = issuer.published[0]["x"]
    checks = Checks(issuer)
    checks.clock.now += REFETCH_SECONDS
    assert checks.tokens.check(issuer.token("one")) == KeysWanted()


async def test_an_issuer_that_does_not_answer_in_utf8_changes_nothing(
    issuer: LocalIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = Checks(issuer)
    checks.clock.now += MAX_AGE_SECONDS
    monkeypatch.setattr("local_issuer.json.dumps", lambda _: FakeText())
    assert not await checks.source.fetch()


async def test_who_waits_for_keys_hears_no_when_the_issuer_is_replaced(issuer: LocalIssuer) -> None:
    checks = Checks(issuer)
    checks.clock.now += MAX_AGE_SECONDS
    waiting = asyncio.create_task(checks.source.fetch())
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # it asks now
    await checks.source.close()
    assert await waiting is False


async def test_an_address_of_keys_that_no_name_server_takes_changes_nothing(issuer: LocalIssuer) -> None:
    assert not await Checks(issuer, keys_url="https://a..b/keys").source.fetch()
