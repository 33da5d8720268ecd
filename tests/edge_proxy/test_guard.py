"""The guard's rounds and reloads, with real files and a real issuer, and a proxy's sessions noted instead of cut."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from local_issuer import LocalIssuer

from edge_proxy.addresses import parse_worker
from edge_proxy.config import Config
from edge_proxy.errors import StartError
from edge_proxy.guard import Guard
from edge_proxy.tenancy.accounts import Accounts
from edge_proxy.tenancy.allowances import Allowance, TenantPolicy
from edge_proxy.tenancy.identity import Identity, KeysWanted
from edge_proxy.tenancy.live_sessions import LiveSessions
from edge_proxy.tenancy.signed_tokens import JwtSettings
from wire_protocol.addresses import TcpAddress
from wire_protocol.frames import GoAway

BASE = Config(listen=TcpAddress("127.0.0.1", 0), workers=(parse_worker("unix:/w"),))
LIMITED = {"acme": TenantPolicy(Allowance(tokens_per_day=100))}


class FakeEdge:
    """Notes what it is told."""

    def __init__(self, guard: Guard, policies: dict[str, TenantPolicy] | None = None) -> None:
        self.accounts = Accounts(policies or {}, time.monotonic, time.time)
        self.live = LiveSessions(time.time, guard.gatekeeper.skew)
        self.told: list[tuple[int, str]] = []

    def warn(self, session: int, frame: GoAway) -> None:
        self.told.append((session, "warned"))

    def cut(self, session: int, cause: str, message: str) -> None:
        self.told.append((session, cause))
        self.live.closed(session)


@pytest.fixture
def issuer() -> Iterator[LocalIssuer]:
    made = LocalIssuer()
    made.new_key("one")
    yield made
    made.stop()


def signed(issuer: LocalIssuer, url: str = "") -> Config:
    jwt = JwtSettings(issuer=url or issuer.url, audience=["foretype"], tenant_claim="org", skew=30.0)
    return msgspec.structs.replace(BASE, jwt=jwt)


async def test_a_round_cuts_whose_token_is_gone_or_has_run_out_and_nobody_else(
    issuer: LocalIssuer, tmp_path: Path
) -> None:
    (tmp_path / "list").write_text("acme:word\nacme:other\n")
    guard = Guard(msgspec.structs.replace(signed(issuer), token_file=tmp_path / "list"))
    edge = FakeEdge(guard)
    await guard.start(edge.accounts)
    tokens = ["word", "other"] + [issuer.token("one", seconds=seconds) for seconds in (60, -40)]
    now = time.time()
    guard.gatekeeper.signed[0]._wall = lambda: now - 20  # type: ignore[index,misc]  # the last one is let in yet
    for number, token in enumerate(tokens):
        identity = guard.gatekeeper.check(token)
        assert isinstance(identity, Identity)
        edge.live.opened(number, identity)
    await guard.round(edge)
    assert edge.told == [(3, "expired")]
    (tmp_path / "list").write_text("acme:other\n")
    await guard.round(edge)
    await guard.round(edge)
    assert edge.told == [(3, "expired"), (0, "revoked")]
    await guard.close(edge.accounts)


async def test_a_reload_to_an_issuer_that_is_down_is_refused_and_the_old_one_holds(issuer: LocalIssuer) -> None:
    guard = Guard(signed(issuer))
    await guard.start(Accounts({}, time.monotonic, time.time))
    with pytest.raises(StartError, match="cannot be fetched"):
        await guard.reload(signed(issuer, "http://127.0.0.1:1"))
    assert isinstance(guard.gatekeeper.check(issuer.token("one")), Identity)


async def test_a_reload_that_leaves_the_issuer_alone_keeps_its_keys(issuer: LocalIssuer) -> None:
    guard = Guard(signed(issuer))
    await guard.start(Accounts({}, time.monotonic, time.time))
    await guard.reload(signed(issuer))
    assert issuer.asked["/keys"] == 1
    assert guard.gatekeeper.knows("jwt:one")
    new = signed(issuer)
    await guard.reload(msgspec.structs.replace(new, jwt=msgspec.structs.replace(new.jwt, audience=["other"])))
    assert issuer.asked["/keys"] == 2
    assert not isinstance(guard.gatekeeper.check(issuer.token("one")), Identity | KeysWanted)


async def test_what_was_spent_outlives_the_process(tmp_path: Path) -> None:
    config = msgspec.structs.replace(BASE, usage=str(tmp_path / "usage.json"))
    ada = Identity("acme", "ada")
    first = Guard(config)
    before = FakeEdge(first, LIMITED)
    await first.start(before.accounts)
    before.accounts.of(ada).charge(100)
    await first.close(before.accounts)
    second = Guard(config)
    after = FakeEdge(second, LIMITED)
    await second.start(after.accounts)
    refusal = after.accounts.of(ada).admit()
    assert refusal is not None
    assert refusal.cause == "tenant_quota"


async def test_without_a_place_for_counts_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    guard = Guard(BASE)
    await guard.start(FakeEdge(guard, LIMITED).accounts)
    assert "counted in this process only" in caplog.text


async def test_counts_that_cannot_be_kept_are_told_once_and_quotas_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "usage.json").write_text("rubbish")
    guard = Guard(msgspec.structs.replace(BASE, usage=str(tmp_path / "usage.json")))
    edge = FakeEdge(guard, LIMITED)
    account = edge.accounts.of(Identity("acme", "ada"))
    account.charge(100)
    for _ in range(3):
        await guard.exchange_usage(edge.accounts)
    assert len([line for line in caplog.messages if "something else" in line]) == 1
    assert account.admit() is not None


async def test_counts_are_given_back_whatever_keeps_them_from_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Guard(BASE)
    edge = FakeEdge(guard, LIMITED)

    class FakeBrokenStore:
        def exchange(self, *_: object) -> None:
            raise ZeroDivisionError

    guard._usage = FakeBrokenStore()  # type: ignore[assignment]
    edge.accounts.of(Identity("acme", "ada")).charge(7)
    with pytest.raises(ZeroDivisionError):
        await guard.exchange_usage(edge.accounts)
    assert sorted(edge.accounts.take_unsaved().values()) == [7, 7]


async def test_an_issuer_that_hangs_delays_no_revocation(issuer: LocalIssuer, tmp_path: Path) -> None:
    (tmp_path / "list").write_text("acme:word\nacme:other\n")
    guard = Guard(msgspec.structs.replace(signed(issuer), token_file=tmp_path / "list"))
    edge = FakeEdge(guard)
    identity = guard.gatekeeper.check("word")
    assert isinstance(identity, Identity)
    edge.live.opened(1, identity)
    (tmp_path / "list").write_text("acme:other\n")
    await guard.round(edge)
    told_at_fetch: list[tuple[int, str]] = []

    async def refresh() -> None:
        told_at_fetch.extend(edge.told)

    guard.gatekeeper.signed[1].refresh = refresh  # type: ignore[index,method-assign]
    await guard.round(edge)
    assert told_at_fetch == [(1, "revoked")]
