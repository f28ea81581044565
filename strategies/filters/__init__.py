"""Filters: from what is public to a label per decision. One family a module."""
