"""From uploaded files to a version: unpack, read, inspect, match; then store and write. Runs in a
worker or a command.
"""
