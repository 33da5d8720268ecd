"""Foretype's language server: it decides when to ask for a completion, what to send, and what to show."""
