"""Simulated markets whose truth is known."""
