"""Simulated markets whose truth is known.

`simulate` writes one to a folder, `worlds` lists what there is. Names are imported when they are
first used.
"""

from .._lazy import lazy_door

_EXPORTS = {
    "Agents": "agents",
    "Check": "check_records",
    "Market": "parameters",
    "Mechanism": "parameters",
    "SimulationResult": "simulation",
    "World": "registry",
    "WorldsCheck": "check_records",
    "PathMarket": "pathwise",
    "check_lake": "lake_checks",
    "check_world": "world_checks",
    "check_worlds": "checking",
    "demo_market": "demo",
    "failure_rate": "agents",
    "pin_probability": "s4_pin",
    "simulate": "simulation",
    "simulate_path": "pathwise",
    "worlds": "registry",
}

__all__ = sorted(_EXPORTS)

__getattr__ = lazy_door(__name__, _EXPORTS)
