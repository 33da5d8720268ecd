"""The contract between Foretype's three programs: frames, delta contexts and agreement, with no I/O.

`README.md` beside this file is the specification. This package imports none of the programs.
"""
