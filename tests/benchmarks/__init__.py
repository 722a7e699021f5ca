"""Measurements of the package beside its peers: `python -m tests.benchmarks`. Nothing here asserts a time."""
