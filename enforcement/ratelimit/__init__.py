"""The rate-limit service beside a gateway: counts requests, tokens and running requests for all gateways.

Envoy asks it (``envoy.service.ratelimit.v3``), it counts in Redis or Valkey; without Redis it counts for its
own gateway and says so. It knows no policy: every question carries the limit that it is about.
"""
