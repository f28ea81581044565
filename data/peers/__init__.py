"""Gamma exposure as other projects compute it, for comparison only."""
