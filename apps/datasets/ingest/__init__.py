"""Uploaded files become versions: unpack, read, inspect, match; then store and write. Runs in a
worker or a command.
"""
