"""The clients that are compared, each a process driven as its editor drives it."""
