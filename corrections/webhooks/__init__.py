"""Signed webhooks for gateways of one's own: the policy is sent there, and what they answer is kept."""
