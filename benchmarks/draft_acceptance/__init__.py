"""How many of a small model's guesses a larger one accepts: what it is worth as a draft for speculative decoding."""
