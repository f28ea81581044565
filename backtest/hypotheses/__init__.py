"""Named tests of the claims about dealer hedging.

`__init__.pyi` lists what is offered; names are imported when they are first used.
"""

from ...data.base.lazy import lazy_door

__getattr__, __dir__, __all__ = lazy_door(__name__, __file__)
