"""The agent beside a gateway: takes in the policy, renders it, proves it, and reports."""

VERSION = "1.0.0"
