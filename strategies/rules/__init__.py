"""Rules: from what is public to a target in -1 ... 1. One family a module."""
