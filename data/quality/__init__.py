"""What can be wrong with data, how grave it is, and where it was found."""
