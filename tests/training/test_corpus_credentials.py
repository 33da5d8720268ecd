"""Files with secrets are found; ordinary code that speaks of secrets is not. The keys here are made up."""

from __future__ import annotations

import random
import string

import pytest

from training.corpus import credentials

LETTERS = string.ascii_letters + string.digits
RANDOM = "".join(random.Random(4).choices(LETTERS, k=40))
CAPITALS = "".join(random.Random(5).choices(string.ascii_uppercase + string.digits, k=16))
HEXADECIMAL = "".join(random.Random(6).choices("0123456789abcdef", k=40))


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIE",
        "-----BEGIN " + "PRIVATE KEY-----\nMIIE",
        f"aws = 'AKIA{CAPITALS}'",
        f"run(gh='ghp_{RANDOM[:36]}')",
        f"url: xoxb-{RANDOM}",
        f'api_key = "{RANDOM}"',
        f"'client_secret': '{RANDOM}'",
        f'const accessToken = "{RANDOM}"',
        f'password := "{HEXADECIMAL}"',
    ],
    ids=["RSA", "PKCS8", "AWS", "GitHub", "Slack", "assignment", "table", "constant", "hexadecimal"],
)
def test_a_credential_is_found(text: str) -> None:
    assert credentials.found(f"# settings\n{text}\n")


@pytest.mark.parametrize(
    "text",
    [
        "password = os.environ['DATABASE_PASSWORD']",
        "token = 'replace-me-with-your-token'",
        "SECRET_NAME = 'projects/example/secrets/database-password'",
        f"commit = '{HEXADECIMAL}'",
        "def token_is_valid(token: str) -> bool:",
        "api_key = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'",
        "task-scheduler-for-background-jobs-with-retries",
    ],
)
def test_ordinary_code_is_not_taken_for_one(text: str) -> None:
    assert not credentials.found(f"# settings\n{text}\n")


def test_entropy_of_a_fair_choice_among_four_is_two_bits() -> None:
    assert credentials.entropy("abcd" * 5) == pytest.approx(2.0)
