"""Books that customers' rules make on the user's own prices, and what they say about a test.

`__init__.pyi` lists what is offered; names are imported when they are first used.
"""

from ...data.base.lazy import lazy_door

__getattr__, __dir__, __all__ = lazy_door(__name__, __file__)
