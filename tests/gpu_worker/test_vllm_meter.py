"""The load from steps, and the estimates of what of the device they use."""

from __future__ import annotations

import pytest

from gpu_worker.engines.vllm_meter import Meter, Step
from gpu_worker.estimates import Cost, Device, bandwidth_use, dense_parameters, device_named, flops_use


class FakeClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def stepped(meter: Meter, clock: FakeClock, seconds: float, step: Step) -> None:
    clock.now += seconds
    meter.step(step)


def test_step_time_and_rate_are_means_over_busy_steps_only() -> None:
    clock = FakeClock()
    meter = Meter(clock)
    # Idle before the first: how long it took is unknown.
    stepped(meter, clock, 50.0, Step(2, 0, 0.1, generated=2, evaluated=30))
    for _ in range(4):
        stepped(meter, clock, 0.010, Step(2, 0, 0.1, generated=2))
    load = meter.stats(in_flight=2)
    assert load.step_ms == pytest.approx(10.0)
    assert load.tokens_per_s == pytest.approx(200.0)
    assert meter.count == 5


def test_what_is_open_and_does_not_run_waits() -> None:
    clock = FakeClock()
    meter = Meter(clock)
    stepped(meter, clock, 0.01, Step(2, 1, 0.5, generated=2))
    load = meter.stats(in_flight=5)
    assert (load.running, load.waiting, load.kv_use) == (2, 3, 0.5)


def test_without_open_requests_nothing_runs_whatever_the_last_step_said() -> None:
    clock = FakeClock()
    meter = Meter(clock)
    stepped(meter, clock, 0.01, Step(2, 0, 0.5, generated=2))
    load = meter.stats(in_flight=0)
    assert (load.running, load.waiting, load.kv_use) == (0, 0, 0.0)


def test_idle_time_after_a_cancelled_request_is_no_step() -> None:
    clock = FakeClock()
    meter = Meter(clock)
    for _ in range(3):
        stepped(meter, clock, 0.010, Step(1, 0, 0.5, generated=1))
    meter.resumed()  # the request was cancelled, of which vLLM reports nothing; a minute later the next one comes
    stepped(meter, clock, 60.0, Step(1, 0, 0.5, generated=1))
    stepped(meter, clock, 0.010, Step(1, 0, 0.5, generated=1))
    assert meter.stats(in_flight=1).step_ms == pytest.approx(10.0)


def test_qwens_parameters_are_counted_from_its_shape() -> None:
    # Qwen2.5-Coder 1.5B: 1.54 billion by its card, of which the biases are not counted here.
    count = dense_parameters(
        layers=28, width=1536, heads=12, kv_heads=2, head_width=128, feed_forward=8960, vocabulary=151_936, tied=True
    )
    assert count == pytest.approx(1.54e9, rel=0.01)


def test_a_forward_pass_costs_two_operations_a_parameter_and_token() -> None:
    assert flops_use(Cost(parameters=1e9), Device(1e14, 1e12), tokens_per_s=10_000) == pytest.approx(0.2)


def test_a_step_reads_every_weight_and_every_key_and_value_once() -> None:
    cost = Cost(1e9, weight_bytes=2e9, kv_bytes_per_token=1e5)
    assert bandwidth_use(cost, Device(1e14, 1e12), step_ms=10.0, kv_tokens=10_000) == pytest.approx(0.3)


def test_an_unknown_device_uses_nothing() -> None:
    assert device_named("Some CPU") is None
    assert flops_use(Cost(1e9), None, 100.0) == 0.0
    assert bandwidth_use(Cost(1e9, 2e9), None, 10.0, 0.0) == 0.0


@pytest.mark.parametrize(("name", "terabytes"), [("NVIDIA H200", 4.8), ("NVIDIA H100 80GB HBM3", 3.35)])
def test_a_device_is_found_by_its_drivers_name(name: str, terabytes: float) -> None:
    device = device_named(name)
    assert device is not None
    assert device.bytes_per_s == pytest.approx(terabytes * 1e12)


def test_the_meter_estimates_from_what_it_measured() -> None:
    clock = FakeClock()
    meter = Meter(clock)
    meter.describe(Cost(1e9, 2e9, 1e5), Device(1e14, 1e12), kv_tokens=20_000)
    for _ in range(5):
        stepped(meter, clock, 0.010, Step(2, 0, 0.5, generated=2, evaluated=98))
    load = meter.stats(in_flight=2)
    assert load.flops_use == pytest.approx(0.2)
    assert load.bandwidth_use == pytest.approx(0.3)
