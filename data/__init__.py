"""Option chains, sessions, exposures and regimes: everything that is read, rebuilt or simulated.

Names below are imported when they are first used, so that ``import gexlab.data`` stays light.
"""

from .base.lazy import lazy_door

__getattr__, __dir__, __all__ = lazy_door(__name__, __file__)
