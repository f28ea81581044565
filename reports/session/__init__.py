"""Explanation and picture of one session."""
