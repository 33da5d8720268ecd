"""Answers to contexts that differ only in what does not matter: white space, comments, names of locals."""
