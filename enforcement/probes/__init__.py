"""Which requests prove that a correction is in force: planned here, sent by the agent."""

from enforcement.probes.planning import Plan, plan

__all__ = ["Plan", "plan"]
