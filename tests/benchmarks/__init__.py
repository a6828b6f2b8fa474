"""Benchmarks: what a thing costs beside the same thing done otherwise, in one run."""
