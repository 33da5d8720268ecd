"""The model store: which models there are, which fit this machine, and how one is fetched, kept and removed."""
