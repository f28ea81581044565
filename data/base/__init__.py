"""What every room stands on: errors, columns, fingerprints, progress, the loader of SQL."""
