"""One run: its configuration, what it reads, what it returns and writes."""
