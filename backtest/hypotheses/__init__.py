"""Named tests of the claims about dealer hedging.

Names below are imported when they are first used.
"""

from ...data._lazy import lazy_door

_EXPORTS = {
    "Card": "protocol",
    "Dataset": "protocol",
    "Hypothesis": "protocol",
    "HypothesisLike": "protocol",
    "HypothesisResult": "running",
    "MissingDataError": "protocol",
    "Outcome": "protocol",
    "Published": "protocol",
    "Settings": "protocol",
    "Table": "protocol",
    "hypothesis_names": "registry",
    "run_hypotheses": "running",
    "run_one": "running",
}

__all__ = sorted(_EXPORTS)

__getattr__ = lazy_door(__name__, _EXPORTS)
