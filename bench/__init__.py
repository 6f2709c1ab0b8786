"""How fast, how small and how good: one module a measure, run by `make bench`. It prints and
asserts nothing.
"""
