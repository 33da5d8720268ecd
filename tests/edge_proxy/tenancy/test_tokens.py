"""Tokens given out: made, kept as hashes, found, revoked."""

from __future__ import annotations

import msgspec

from edge_proxy.tenancy.identity import Identity, Refused
from edge_proxy.tenancy.tokens import KnownTokens, TokenRecord, hash_of, new_token, revoked

NOW = 1_800_000_000


def refusal(tokens: KnownTokens, token: str, wall: float = NOW) -> str:
    checked = tokens.check(token, wall)
    assert isinstance(checked, Refused)
    return checked.message


def test_a_token_names_its_user_and_tenant() -> None:
    token, record = new_token("acme", "ada", "laptop", NOW, None)
    assert KnownTokens([record]).check(token, NOW) == Identity("acme", "ada", f"token:{record.id}", None)


def test_a_record_does_not_contain_its_token() -> None:
    token, record = new_token("acme", "ada", "laptop", NOW, None)
    kept = msgspec.json.encode(record).decode()
    assert token not in kept
    assert token.removeprefix("ft_") not in kept
    assert hash_of(token) in kept


def test_no_two_tokens_are_alike_and_each_has_256_random_bits() -> None:
    made = [new_token("t", "u", "", NOW, None) for _ in range(100)]
    assert len({token for token, _ in made}) == len({record.id for _, record in made}) == 100
    assert {len(token) for token, _ in made} == {len("ft_") + 43}  # 32 bytes in base64url


def test_unknown_missing_revoked_and_expired_are_told_apart_without_showing_the_token() -> None:
    token, record = new_token("acme", "ada", "", NOW, NOW + 60)
    tokens = KnownTokens([record])
    assert "not known" in refusal(tokens, "ft_else")
    assert "missing" in refusal(tokens, "")
    assert isinstance(tokens.check(token, NOW + 59.9), Identity)
    assert "expired" in refusal(tokens, token, NOW + 60)
    gone = KnownTokens([revoked(record, NOW)])
    assert "revoked" in refusal(gone, token)
    assert all(token not in refusal(gone, offered) for offered in (token, f"{token}x"))


def test_the_hash_itself_lets_nobody_in() -> None:
    _, record = new_token("acme", "ada", "", NOW, None)
    assert "not known" in refusal(KnownTokens([record]), record.hash)


def test_a_token_revoked_twice_keeps_the_first_time() -> None:
    record = TokenRecord(id="1", hash="h", tenant="t")
    assert revoked(revoked(record, 5.0), 9.0).revoked == 5


def test_a_credential_is_known_until_it_is_revoked_or_deleted() -> None:
    _, record = new_token("acme", "ada", "", NOW, None)
    credential = f"token:{record.id}"
    known = [KnownTokens(records).knows(credential) for records in ([record], [revoked(record, NOW)], [])]
    assert known == [True, False, False]
