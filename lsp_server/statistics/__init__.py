"""What became of suggestions, how fast they came and what they cost: counted in the session, kept by day, drawn."""
