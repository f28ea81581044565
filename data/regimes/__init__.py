"""From a lake to the regime table and back, and what is asked of single sessions."""
