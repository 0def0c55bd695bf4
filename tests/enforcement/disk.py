"""A disk on which something goes wrong."""

from contextlib import contextmanager


@contextmanager
def in_the_way(path):
    """Put a folder where a file should be written."""
    aside = path.with_suffix(".aside")
    path.rename(aside)
    path.mkdir()
    try:
        yield
    finally:
        path.rmdir()
        aside.rename(path)
