"""Groundwork that knows nothing of learning: arrays, files, progress, YAML, values of columns."""
