"""What a reload may change, and workers that come and go under a proxy that runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_proxy.addresses import parse_worker
from edge_proxy.config import Config, LimitSettings
from edge_proxy.errors import StartError
from edge_proxy.reload import LIVE, change
from edge_proxy.tenancy.allowances import Allowance, TenantPolicy
from wire_protocol.addresses import TcpAddress
from wire_protocol.frames import Context

FAR = TcpAddress("0.0.0.0", 443)
SAFE = Config(
    listen=FAR, workers=(parse_worker("unix:/w"),), tokens="t.json", tls_cert=Path("c"), tls_key=Path("k"), grace=5.0
)


def changed(**fields: Any) -> Config:
    return msgspec.structs.replace(SAFE, **fields)


def test_live_settings_are_settings() -> None:
    assert set(Config.__struct_fields__) >= LIVE


def test_what_may_change_changes_and_the_rest_is_named_and_stays() -> None:
    new = changed(
        tenants={"a": TenantPolicy(Allowance(concurrent=1))}, grace=9.0, region="eu", limits=LimitSettings(sessions=1)
    )
    result = change(SAFE, new)
    assert (sorted(result.changed), sorted(result.fixed)) == (["grace", "tenants"], ["limits", "region"])
    assert (result.config.grace, result.config.tenants) == (9.0, new.tenants)
    assert (result.config.region, result.config.limits) == ("", LimitSettings())


def test_nothing_new_is_no_change() -> None:
    assert change(SAFE, changed())[1:] == ([], [])


def test_a_reload_opens_the_door_to_nobody() -> None:
    with pytest.raises(StartError, match="only with a restart"):
        change(SAFE, changed(tokens="", listen=TcpAddress("127.0.0.1", 1)))
    open_to_all = changed(tokens="", insecure=True)
    with pytest.raises(StartError, match="only with a restart"):
        change(SAFE, open_to_all)


def test_tls_is_not_turned_off_but_other_files_are_taken() -> None:
    without = change(SAFE, changed(tls_cert=None, tls_key=None))
    assert (without.config.tls_cert, sorted(without.fixed)) == (Path("c"), ["tls_cert", "tls_key"])
    assert change(SAFE, changed(tls_cert=Path("new"))).config.tls_cert == Path("new")


def test_taking_insecure_back_is_refused_where_it_is_needed() -> None:
    bare = Config(listen=FAR, workers=SAFE.workers, insecure=True)
    with pytest.raises(StartError, match="can be reached from other machines"):
        change(bare, msgspec.structs.replace(bare, insecure=False))


async def test_a_worker_taken_out_finishes_what_it_runs_and_gets_nothing_new(
    start_edge: Any, make_worker: Any, complete: Any
) -> None:
    stays, goes = make_worker(name="stays", credits=2), make_worker(name="goes", credits=2)
    edge = await start_edge(stays, goes)
    client = await edge.client()

    def ask(id: int) -> Any:
        return complete(id, doc=f"d{id}", context=Context(before=f"x{id} = "), give_up_ms=60_000)

    await client.send(*(ask(id) for id in range(1, 5)))
    await edge.until(lambda: stays.submits.qsize() + goes.submits.qsize() == 4)
    edge.app.apply(msgspec.structs.replace(edge.app._config, workers=(parse_worker(stays.url),)))
    await client.send(ask(5))
    for worker, count in ((goes, 2), (stays, 3)):
        for _ in range(count):
            submit = await worker.submit()
            await worker.say(submit, worker.name)
            await worker.finish(submit)
    texts = [(await client.answer(id))[0] for id in range(1, 6)]
    assert sorted(texts) == ["goes"] * 2 + ["stays"] * 3
    await edge.until(lambda: [worker.name for worker in edge.app.dispatcher.workers] == [stays.url])


async def test_a_worker_put_in_is_used_and_one_put_back_is_kept(
    start_edge: Any, make_worker: Any, complete: Any
) -> None:
    first, second = make_worker(name="first"), make_worker(name="second")
    edge = await start_edge(first)
    await second.start()
    both = tuple(parse_worker(worker.url) for worker in (first, second))
    edge.app.apply(msgspec.structs.replace(edge.app._config, workers=both))
    await edge.until(lambda: sum(worker.ready for worker in edge.app.dispatcher.workers) == 2)
    client = await edge.client()
    await client.send(complete(1, give_up_ms=60_000))
    await edge.until(lambda: first.submits.qsize() + second.submits.qsize() == 1)
    busy = first if first.submits.qsize() else second
    edge.app.apply(msgspec.structs.replace(edge.app._config, workers=(both[0 if busy is second else 1],)))
    edge.app.apply(msgspec.structs.replace(edge.app._config, workers=both))
    submit = await busy.submit()
    await busy.say(submit, "kept")
    await busy.finish(submit)
    assert (await client.answer(1))[0] == "kept"
    await edge.until(lambda: sum(worker.ready for worker in edge.app.dispatcher.workers) == 2)
    await second.stop()


async def test_a_worker_taken_out_has_no_levels_any_more_and_keeps_its_counts(
    start_edge: Any, make_worker: Any
) -> None:
    stays, goes = make_worker(name="stays"), make_worker(name="goes")
    edge = await start_edge(stays, goes)
    assert f'worker_credits{{worker="{goes.url}"}}' in (await edge.get("/metrics"))[1]
    edge.app.apply(msgspec.structs.replace(edge.app._config, workers=(parse_worker(stays.url),)))
    await edge.until(lambda: [worker.name for worker in edge.app.dispatcher.workers] == [stays.url])
    text = (await edge.get("/metrics"))[1]
    assert f'worker_credits{{worker="{goes.url}"}}' not in text
    assert f'worker_credits{{worker="{stays.url}"}}' in text
    assert f'worker_connects_total{{worker="{goes.url}"}} 1.0' in text
