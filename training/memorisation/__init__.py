"""How often a model reproduces 50-token runs of its training data, beside how often it does so by coincidence.

README.md in this folder says how it is measured.
"""
