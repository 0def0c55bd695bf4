"""What can keep the embedded start-up from coming up."""


class StartError(Exception):
    """Something is missing or in the way; the text is one line a person can act on."""
