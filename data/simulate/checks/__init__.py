"""Whether the worlds show what theory says of them."""
