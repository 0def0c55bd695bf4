"""What the API reads."""

from rest_framework.parsers import JSONParser


class StrictJSONParser(JSONParser):
    """JSON only."""
