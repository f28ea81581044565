"""One session as it is told and drawn."""
