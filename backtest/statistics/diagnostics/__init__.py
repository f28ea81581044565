"""What a regime did to prices: regressions, dependence, path shape, tails, pins and premia."""
