"""vLLM on a GPU through the whole path, sessions to proxy to worker: `python -m benchmarks.gpu`."""
