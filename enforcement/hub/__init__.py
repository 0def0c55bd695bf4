"""The hub: what decisions call. It keeps the policy, hands it to the gateways, and keeps what they report."""
