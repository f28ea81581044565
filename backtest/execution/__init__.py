"""From targets to equity: timing, costs, fills, performance."""
