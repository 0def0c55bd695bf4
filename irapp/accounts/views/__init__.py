"""Sign-in, one's own account, and everybody else's."""
