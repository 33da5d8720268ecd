"""Foretype's client against tabby-agent and Continue: same traces, same editor, same backend."""
