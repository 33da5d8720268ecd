"""What others call a secret is masked: measured with the rules of detect-secrets, which know nothing of ours."""

from __future__ import annotations

import random
from collections import Counter

import pytest

pytest.importorskip("detect_secrets", reason="detect-secrets is in the extra `dev`")

from others_secrets import by_form, by_name

from lsp_server.privacy.mask import Masker
from wire_protocol.frames import Context

SEED = 11
MIN_RECALL = 0.95


def missed(secrets: list[tuple[str, str, str]]) -> Counter[str]:
    """Kinds of secrets whose end leaves, and how often."""
    masker = Masker()
    return Counter(
        kind for kind, line, secret in secrets if secret[-8:] in masker.context(Context(before=f"{line}\n")).before
    )


@pytest.mark.parametrize("source", [by_form, by_name])
def test_what_others_rules_describe_is_masked(source, record_property) -> None:  # type: ignore[no-untyped-def]
    secrets = list(source(random.Random(SEED), 20))
    left = missed(secrets)
    recall = 1 - left.total() / len(secrets)
    record_property("recall", recall)
    print(f"{source.__name__}: {len(secrets)} secrets, masked {recall:.1%}; missed: {dict(left) or 'none'}")
    assert len(secrets) >= 200
    assert recall >= MIN_RECALL
