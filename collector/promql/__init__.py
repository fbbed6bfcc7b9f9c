"""Reads what an operator's Prometheus-compatible store already has: no second bill, no second agent."""
