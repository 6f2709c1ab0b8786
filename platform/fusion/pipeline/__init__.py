"""Whole jobs: train a run, evaluate a bundle, predict a table, write and read a bundle."""
