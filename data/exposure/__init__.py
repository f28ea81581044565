"""Exposures of a book of options: greeks, profile, flips, walls, regime."""
