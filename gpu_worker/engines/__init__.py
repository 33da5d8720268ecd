"""Engines: whatever generates text. `base` is their contract; each engine is loaded only when it is asked for."""
