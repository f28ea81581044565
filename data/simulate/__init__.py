"""Simulated markets whose truth is known.

`simulate` writes one to a folder, `worlds` lists what there is. Names are imported when they are
first used.
"""

from ..base.lazy import lazy_door

__getattr__, __dir__, __all__ = lazy_door(__name__, __file__)
