"""One truth about sessions, expirations and time zones."""
