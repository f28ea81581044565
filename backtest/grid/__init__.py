"""Grids: many trials of one question at the engine's own speed."""
