"""The licence gate: which licence a package's metadata states, and whether it is on the allowed list."""

from __future__ import annotations

import re
from collections.abc import Collection
from email.message import Message

CLASSIFIER_PREFIX = "License :: "
# Trove classifiers name families, not SPDX identifiers. Only what the list may allow is translated;
# everything else keeps its own text, which is on no list and so is refused.
CLASSIFIERS = {
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: MIT No Attribution License (MIT-0)": "MIT-0",
    "License :: OSI Approved :: BSD License": "BSD",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: Python Software Foundation License": "PSF-2.0",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: zlib/libpng License": "Zlib",
    "License :: OSI Approved :: The Unlicense (Unlicense)": "Unlicense",
    "License :: CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
}
# Categories that say nothing by themselves.
EMPTY_CLASSIFIERS = {"License :: OSI Approved"}
# What authors write by hand in the old free-text field, lower-cased.
FREE_TEXT = {
    "mit": "MIT",
    "mit license": "MIT",
    "the mit license": "MIT",
    "the mit license (mit)": "MIT",
    "expat license": "MIT",
    "bsd": "BSD",
    "bsd license": "BSD",
    "new bsd": "BSD-3-Clause",
    "new bsd license": "BSD-3-Clause",
    "modified bsd license": "BSD-3-Clause",
    "3-clause bsd": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache-2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "psf": "PSF-2.0",
    "psf-2.0": "PSF-2.0",
    "isc": "ISC",
    "isc license": "ISC",
    "unlicense": "Unlicense",
}
OPERATOR = re.compile(r"\s+(AND|OR)\s+", re.IGNORECASE)


def stated(metadata: Message) -> str:
    """The licence a package's core metadata states, as an SPDX expression or as near to one as it can be read.

    License-Expression is believed first, then a short License field, then the classifiers (all of them,
    joined with AND: a package under several must satisfy each). Empty if nothing is stated.
    """
    if expression := metadata.get("License-Expression"):
        return " ".join(str(expression).split())
    text = " ".join(str(metadata.get("License") or "").split())
    if identifier := FREE_TEXT.get(text.lower()):
        return identifier
    classifiers = [
        str(value)
        for value in metadata.get_all("Classifier", [])
        if str(value).startswith(CLASSIFIER_PREFIX) and str(value) not in EMPTY_CLASSIFIERS
    ]
    if classifiers:
        return " AND ".join(CLASSIFIERS.get(value, value.removeprefix(CLASSIFIER_PREFIX)) for value in classifiers)
    # A free text that is a plain SPDX expression is judged as one; a whole licence's text is not an identifier.
    return text if len(text) <= 120 else ""


def allowed(expression: str, licences: Collection[str]) -> bool:
    """Whether every licence that the expression may oblige us to is on the list.

    `A OR B` leaves the choice, so one is enough; `A AND B` and anything with parentheses or WITH needs all.
    An empty expression is refused.
    """
    if not expression.strip():
        return False
    listed = {name.lower() for name in licences}
    if "(" in expression:
        names = OPERATOR.split(expression.replace("(", " ").replace(")", " "))[::2]
        return all(name.strip().lower() in listed for name in names)
    alternatives = re.split(r"\s+OR\s+", expression, flags=re.IGNORECASE)
    return any(
        all(name.strip().lower() in listed for name in re.split(r"\s+AND\s+", alternative, flags=re.IGNORECASE))
        for alternative in alternatives
    )
