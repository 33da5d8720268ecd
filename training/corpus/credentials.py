"""Finds texts that may hold a secret: keys, tokens, and random strings assigned to telling names."""

from __future__ import annotations

import math
import re
from collections import Counter

# The published shapes of credentials, each with a text that it always holds: that is looked for first, which is fast.
SHAPES = [
    ("PRIVATE KEY", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    ("AKIA", r"\bAKIA[0-9A-Z]{16}\b"),  # Amazon Web Services
    ("ASIA", r"\bASIA[0-9A-Z]{16}\b"),
    *((f"gh{kind}_", rf"\bgh{kind}_[A-Za-z0-9]{{36,}}\b") for kind in "pousr"),  # GitHub
    ("github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{60,}\b"),
    ("glpat-", r"\bglpat-[A-Za-z0-9_-]{20,}\b"),  # GitLab
    ("xox", r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}"),  # Slack
    ("hooks.slack.com", r"hooks\.slack\.com/services/T\w{6,}/B\w{6,}/\w{20,}"),
    ("AIza", r"\bAIza[0-9A-Za-z_-]{35}\b"),  # Google
    ("ya29.", r"\bya29\.[0-9A-Za-z_-]{20,}"),
    ("k_live_", r"\b[rs]k_live_[0-9a-zA-Z]{20,}\b"),  # Stripe
    ("sk-", r"\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,}\b"),
    ("hf_", r"\bhf_[A-Za-z0-9]{30,}\b"),  # Hugging Face
    ("npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("pypi-AgEI", r"\bpypi-AgEI[A-Za-z0-9_-]{50,}"),
    ("SG.", r"\bSG\.[\w-]{20,}\.[\w-]{20,}"),  # SendGrid
    ("eyJ", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),  # JSON Web Token
]
PATTERNS = [(marker, re.compile(pattern)) for marker, pattern in SHAPES]
VALUE = re.compile(r"[=:>]\s*[\"']([A-Za-z0-9+/=_-]{20,})[\"']")
TELLING_NAME = re.compile(
    r"(?:passw(?:or)?d|secret|token|api_?key|access_?key|private_?key|credential|auth_?key)\w*[\"']?\]?\s*[:=]?$",
    re.IGNORECASE,
)
# How far before a value its name is looked for, in characters.
NAME_LENGTH = 60
# Random base64 has about 4.5 to 5 bits a character at these lengths, words about 3.5, random hexadecimal 3.6 to 4.
MIN_ENTROPY_BITS = 4.1
MIN_HEXADECIMAL_ENTROPY_BITS = 3.3
HEXADECIMAL = re.compile(r"[0-9a-fA-F]{32,}")


def entropy(text: str) -> float:
    """Shannon entropy of the characters, in bits a character."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


def found(text: str) -> bool:
    """Whether the text holds something that looks like a credential."""
    if any(marker in text and pattern.search(text) for marker, pattern in PATTERNS):
        return True
    for match in VALUE.finditer(text):
        value = match.group(1)
        limit = MIN_HEXADECIMAL_ENTROPY_BITS if HEXADECIMAL.fullmatch(value) else MIN_ENTROPY_BITS
        before = text[max(match.start() - NAME_LENGTH, 0) : match.start()]
        if entropy(value) >= limit and TELLING_NAME.search(before):
            return True
    return False
