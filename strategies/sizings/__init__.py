"""Sizings: from a target to a position. One family a module."""
