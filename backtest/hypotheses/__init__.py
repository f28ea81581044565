"""Named tests of the claims about dealer hedging."""
