"""Envoy's rate-limit protocol; ``ratelimit_pb2`` is generated from ``ratelimit.proto``."""
