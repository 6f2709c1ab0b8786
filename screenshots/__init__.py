"""Pictures of the running product: those of the README, and every page in both themes, widths and
languages to look at.
"""
