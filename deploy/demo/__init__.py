"""A small language model behind an OpenAI-compatible API, and gentle traffic: for demonstrations only."""
