"""`foretype-worker`: hosts one engine and generates fill-in-the-middle completions over `foretype.v1`."""
