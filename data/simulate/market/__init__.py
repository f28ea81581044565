"""One simulated market: its book, its prices, its files."""
