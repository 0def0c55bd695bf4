"""How the API reads JSON, pages lists and says no."""
