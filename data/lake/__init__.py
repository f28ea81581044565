"""The lake: chains and derived tables on disk, who may write them, and how they are read."""
