"""The OpenAI-compatible door: `/v1/completions` and `/v1/models` into the same scheduler that sessions use."""
