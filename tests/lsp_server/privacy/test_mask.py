"""Masking: what is found, what is left, and that offsets and what came before stay as they were."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted_secrets import KINDS

from lsp_server.privacy.mask import MAX_PIECE, Masker, mask_line, repeats_mask
from wire_protocol.frames import Context, Snippet

STARTS = ["", "password = ", "AKIA", "-----BEGIN PRIVATE KEY-----\n"]
BUDGET_S = 0.0003
"""For a keystroke, 99 of 100."""


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ('key = "AKIAIOSFODNN7EXAMPLE"', 'key = "AKIAxxxxxxxxxxxxxxxx"'),
        ('t = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"', 't = "ghp_' + "x" * 36 + '"'),
        ('password = "hunter2"', 'password = "xxxxxxx"'),
        ("if password == 'hunter2':", "if password == 'xxxxxxx':"),
        ('login(user, password="hunter2")', 'login(user, password="xxxxxxx")'),
        ('os.environ.get("DB_PASSWORD", "hunter2")', 'os.environ.get("DB_PASSWORD", "xxxxxxx")'),
        ("export DB_PASSWORD=hunter2", "export DB_PASSWORD=xxxxxxx"),
        ('{"clientSecret": "a1b2c3d4e5"}', '{"clientSecret": "xxxxxxxxxx"}'),
        ('password: str = "hunter2"', 'password: str = "xxxxxxx"'),
        ("postgres://me:hunter2@db/app", "postgres://me:xxxxxxx@db/app"),
        ('H = {"Authorization": "Bearer abc123def456"}', 'H = {"Authorization": "Bearer xxxxxxxxxxxx"}'),
        ("Server=db;User=me;Password=hunter2;", "Server=db;User=me;Password=xxxxxxx;"),
        ('url = "https://x.example/a?sig=abc123&v=1"', 'url = "https://x.example/a?sig=xxxxxx&v=1"'),
        ('curl -H "X-Api-Key: 9f8e7d6c5b4a"', 'curl -H "X-Api-Key: xxxxxxxxxxxx"'),
        ("$pass = 'abc123XYZ';", "$pass = 'xxxxxxxxx';"),
        ('auth = ("admin", "s3cr3tpw")', 'auth = ("admin", "xxxxxxxx")'),
        ("mysql -u root -pS3cretPass db", "mysql -u root -pxxxxxxxxxx db"),
        ('MNEMONIC="legal winner thank year"', 'MNEMONIC="xxxxxxxxxxxxxxxxxxxxxxx"'),
        ('password = "not closed ye7 8', 'password = "' + "x" * 16),
    ],
)
def test_a_secret_is_masked_and_what_is_around_it_stays(line: str, masked: str) -> None:
    assert mask_line(line) == masked


@pytest.mark.parametrize(
    "line",
    [
        "password = get_password()",
        "if x: pass  # the password is not needed",
        "KEYWORDS = ['or', 'pass', 'print']",
        'bypass = "12345abc"',
        "password: str",
        'token_type = "bearer"',
        'TOKEN_URL = "https://example.com/oauth/token"',
        'label = "Enter your password"',
        'password = "${DB_PASSWORD}"',
        'password = os.environ["DB_PASSWORD"]',
        'api_key = "<your key>"',
        "for token in tokens: count[token] += 1",
        "sha = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'",
        'id = "0f8fad5b-d9cb-469f-a165-70867728950e"',
        "getUserAccountSettingsFromCacheV2(request)",
        'import { AuthTokenProvider } from "./auth/token_provider"',
        'url = "http://localhost:8080/path"',
        "value: 10:30:00",
        "xxxxxxxxxxxx",
    ],
)
def test_what_only_looks_like_a_secret_stays(line: str) -> None:
    assert mask_line(line) == line


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_is_found_where_it_has_a_name(kind: str) -> None:
    rng = random.Random(1)
    secrets = [KINDS[kind][1](rng).split("\n")[0] for _ in range(50)]
    missed = [secret for secret in secrets if secret[-6:] in mask_line(f'secret_key = "{secret}"')]
    # Words are taken for a password only under that name, and 14 letters may be a name by chance.
    assert len(missed) <= {"word password": 50, "url": 3}.get(kind, 0)


def test_a_value_without_quotes_counts_in_configuration_only() -> None:
    assert mask_line("password: hunter2", bare=True) == "password: xxxxxxx"
    assert mask_line("password: hunter2") == "password: hunter2"


@pytest.mark.parametrize(
    "cut", [(0, 6), (1, 6), (2, 4), (0, 3), (3, 6)], ids=["whole", "no first line", "middle", "no end", "end"]
)
def test_a_private_key_is_masked_wherever_the_window_cuts_it(cut: tuple[int, int]) -> None:
    body = [
        "MIIEowIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7MhgHcTz6sE2I2yPB",
        "aFDrBz9vFqU4zK0",
        "shortLine9",
        "Qm9vayBvZiBzZWNyZXRz",
    ]
    lines = ['K = """-----BEGIN RSA PRIVATE KEY-----', *body, '-----END RSA PRIVATE KEY-----"""']
    shown = lines[cut[0] : cut[1]]
    masked = Masker().text("\n".join(shown), bare=False).split("\n")
    assert [len(line) for line in masked] == [len(line) for line in shown]
    whole = any("-----" in line for line in shown)
    for was, now in zip(shown, masked, strict=True):
        if was in body and (whole or len(was) > 40):
            assert set(now) == {"x"}, was


def test_a_key_on_one_line_with_escapes_is_masked() -> None:
    key = "-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkq\\n-----END PRIVATE KEY-----"
    text = f'k = f("{key}", 1)\nnext_line_is_ordinary = 1'
    masked = Masker().text(text, bare=False)
    assert "MIIEvQIB" not in masked
    assert "-----END PRIVATE KEY-----" in masked
    assert masked.endswith("\nnext_line_is_ordinary = 1")


def context(before: str = "", typed: str = "", tail: str = "", after: str = "", language: str = "python") -> Context:
    return Context(before=before, typed=typed, tail=tail, after=after, language=language)


def test_a_secret_around_the_cursor_is_masked_in_all_parts() -> None:
    masked = Masker().context(context('x = 1\npassword = "hun', "ter2", '"', "\ny = 2\n"))
    assert (masked.before, masked.typed, masked.tail, masked.after) == (
        'x = 1\npassword = "xxx',
        "xxxx",
        '"',
        "\ny = 2\n",
    )


def test_snippets_are_masked() -> None:
    snippets = [Snippet(path="a.yaml", text="password: hunter2\n"), Snippet(path="a.py", text='password = "hunter2"\n')]
    masked = Masker().context(Context(snippets=snippets, language="python"))
    assert [snippet.text for snippet in masked.snippets] == ["password: xxxxxxx\n", 'password = "xxxxxxx"\n']


def test_a_context_without_secrets_is_the_very_same() -> None:
    plain = context("def f():\n", "    re", ")", "\n")
    assert Masker().context(plain) is plain


def test_what_the_window_cuts_off_is_masked_where_it_could_be_a_secret() -> None:
    long = "line = 1\n" * 200
    masked = Masker().context(context("aB3dE5gH7jK9mN1pQ\n" + long, "", "", "\n" + long + "zY8xW6vU4tS2"))
    assert masked.before.startswith("x" * 17 + "\n")
    assert masked.after.endswith("\n" + "x" * 12)
    typed = Masker().context(context(long, "resultValue2of3"))
    assert typed.typed == "resultValue2of3"


@given(
    st.text(alphabet="aB3=:\"'\n @/.-_x{}(kp", max_size=200),
    st.sampled_from(STARTS),
)
def test_length_and_lines_stay_and_masking_twice_changes_nothing(text: str, start: str) -> None:
    text = start + text
    for bare in (False, True):
        once = Masker().text(text, bare=bare)
        assert [len(line) for line in once.split("\n")] == [len(line) for line in text.split("\n")]
        assert all(now in (was, "x") for was, now in zip(text, once, strict=True))


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"private key"}))
def test_while_a_line_is_typed_what_was_sent_before_hardly_changes(kind: str) -> None:
    """So that the KV cache of the worker lasts: the mask grows at its end, and sets in once at most."""
    secret = KINDS[kind][1](random.Random(2))
    line = f'password = "{secret}"'
    masker = Masker()
    sent = [masker.text(line[:length], bare=False) for length in range(1, len(line) + 1)]
    turns = sum(not later.startswith(earlier) for earlier, later in pairwise(sent))
    assert turns <= 3


def test_a_long_line_takes_no_longer_than_its_length() -> None:
    started = time.process_time()
    for line in ("a" * 200_000, 'password="' * 20_000, "=" * 100_000, "://" * 60_000, "eyJ." * 40_000, "key-" * 50_000):
        assert len(mask_line(line, bare=True)) == len(line)
    assert time.process_time() - started < 8.0
    assert len(mask_line("a" * (MAX_PIECE + 1))) == MAX_PIECE + 1


def test_a_keystroke_costs_little() -> None:
    rng = random.Random(1)
    lines = [f"    value_{number} = compute_{number}(left, right, {rng.random()})" for number in range(260)]
    before, after = "\n".join(lines[:200]) + "\n", "\n" + "\n".join(lines[200:])
    masker, times = Masker(), []
    for key in range(400):
        asked = context(before, "    total = left_" + "abcdefgh"[key % 8] * (key % 40), "", after)
        started = time.thread_time()
        masker.context(asked)
        times.append(time.thread_time() - started)
    assert sorted(times[1:])[int(0.9 * len(times))] < BUDGET_S  # the 90th here: the machine's clock is shared


def test_a_suggestion_that_repeats_the_mask_is_known() -> None:
    assert repeats_mask('"xxxxxxxx"', 'password = "hunter22"')
    assert not repeats_mask('"xxxxxxxx"', 'placeholder = "xxxxxxxx"')
    assert not repeats_mask("max(x, xx)", "")
