"""Measurements that anyone can repeat: ``make bench``, figures in ``docs/benchmarks.md``."""
