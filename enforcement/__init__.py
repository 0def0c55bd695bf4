"""What decisions call: the policy document, the hub, the agent beside each gateway.

No Django in here. The application and the gateways share one thing only: :mod:`enforcement.policy`.
"""
