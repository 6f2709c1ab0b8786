"""Seconds and memory that a run will take on this machine."""
