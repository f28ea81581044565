"""From vendors' files to the canonical lake."""
