"""Readable twins of the simulator's kernels, in plain Python."""

from __future__ import annotations

import math
from collections.abc import Sequence


def session_bars(
    shocks: Sequence[float],
    uniforms: Sequence[Sequence[float]],
    step_sd: float,
    overnight: float,
    memory: float,
    close_slope: float,
    close_bars: int,
    drift: float = 0.0,
) -> tuple[list[list[float]], float]:
    """Bars (open, high, low, close) relative to the previous close, and the push at the end."""
    returns: list[float] = []
    for i, shock in enumerate(shocks):
        if i == 0:
            returns.append(step_sd * shock / math.sqrt(1 - memory**2))
        else:
            returns.append(step_sd * shock + memory * returns[-1])
    returns = [r + drift / len(returns) for r in returns]
    early = len(returns) - close_bars
    push = close_slope * (overnight + sum(returns[:early]))
    moves = [r + (push / close_bars if i >= early else 0.0) for i, r in enumerate(returns)]
    bars, level = [], overnight
    for move, (u_high, u_low) in zip(moves, uniforms, strict=True):
        high = (move + math.sqrt(move**2 - 2 * step_sd**2 * math.log(u_high))) / 2
        low = (move - math.sqrt(move**2 - 2 * step_sd**2 * math.log(u_low))) / 2
        bars.append([level, level + high, level + low, level + move])
        level += move
    return bars, push


def pinned_end(shocks: Sequence[float], z: float, beta: float) -> float:
    """z at the expiration, by the pinning equation on s_j = 1 - (1 - j/N)^2."""
    count = len(shocks)
    grid = [1 - (1 - j / count) ** 2 for j in range(count + 1)]
    for j, shock in enumerate(shocks):
        s, ds = grid[j], grid[j + 1] - grid[j]
        drift = beta * z * (1 - s) ** -1.5 * math.exp(-(z**2) / (2 * (1 - s))) * ds
        drift = max(-abs(z), min(abs(z), drift))
        z = z - drift + math.sqrt(ds) * shock
    return z
