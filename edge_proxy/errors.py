"""The one kind of error that ends `foretype-proxy` before it starts."""

from __future__ import annotations


class StartError(Exception):
    """One sentence for the person who started the program: what is wrong, where, what to do."""
