"""Looking for look-ahead."""
