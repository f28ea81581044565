"""Vendors' chain formats, one module each."""
