"""What vLLM says when something fails, as a person is told it. The messages are of vLLM 0.20 and 0.32."""

from __future__ import annotations

import pytest

from gpu_worker.engines.vllm_errors import explain_request, explain_start, is_dead


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            "User-specified max_model_len (9) is greater than the derived max_model_len (4)",
            "longer than the model",
        ),
        (
            "To serve at least one request with the models's max seq len (8192), (1.5 GiB KV cache is needed, which is "
            "larger than the available KV cache memory (0.4 GiB).",
            "no room for one request",
        ),
        ("No available memory for the cache blocks. Try increasing `gpu_memory_utilization`", "not enough memory"),
        ("Free memory on device cuda:0 (3.1/79.2 GiB) on startup is less than desired", "not enough memory"),
        ("Repo id must use alphanumeric chars, '-', '_' or '.'", "no such model"),
        (
            "Model architectures ['FooForCausalLM'] are not supported for now.",
            "of that architecture",
        ),
        ("Arctic Inference is required for suffix decoding: arctic-inference", "arctic-inference"),
    ],
)
def test_a_known_cause_is_told_in_words(said: str, sentence: str) -> None:
    told = explain_start("the-model", ValueError(said), "")
    assert told.startswith("vLLM cannot start the-model. ")
    assert sentence in told


def test_the_engine_process_says_the_root_cause() -> None:
    log = (
        "(EngineCore pid=7) ERROR 11-21 [core.py:900] Traceback (most recent call last):\n"
        "(EngineCore pid=7) ERROR 11-21 [core.py:900] torch.OutOfMemoryError: CUDA out of memory. Tried to allocate\n"
    )
    error = RuntimeError("Engine core initialization failed. See root cause above. Failed core proc(s): {}")
    assert "not enough memory" in explain_start("m", error, log)


def test_an_unknown_cause_is_the_last_error_that_the_engine_process_wrote() -> None:
    log = "ERROR [core.py:1] KeyError: 'first'\nERROR [core.py:2] AssertionError: heads do not divide\n"
    error = RuntimeError("Engine core initialization failed. See root cause above.")
    assert explain_start("m", error, log) == "vLLM cannot start m: AssertionError: heads do not divide"


class QueueOverflowError(Exception):
    """As vLLM names it; 0.20 has none."""


class EngineDeadError(Exception):
    """As vLLM names it."""


def test_a_full_queue_sheds() -> None:
    reason, message = explain_request(QueueOverflowError())
    assert (reason, "full" in message) == ("shed", True)


def test_a_dead_engine_sheds() -> None:
    assert is_dead(EngineDeadError())
    assert explain_request(EngineDeadError())[0] == "shed"


def test_a_request_that_is_refused_is_an_error_in_vllms_words() -> None:
    reason, message = explain_request(ValueError("The decoder prompt (length 1600) is longer than the maximum"))
    assert reason == "error"
    assert "1600" in message


def test_an_internal_failure_names_its_cause() -> None:
    error = RuntimeError("generate failed")
    error.__cause__ = KeyError("block 7")
    assert "block 7" in explain_request(error)[1]
