"""Which modules a function needs where it is called."""

import types
from collections.abc import Iterator
from functools import partial
from typing import Any

__all__ = ["modules_of"]


def modules_of(part: Any) -> Iterator[str]:
    """Names of the modules that a function, and what it was bound to, are of."""
    if isinstance(part, partial):
        for inner in (part.func, *part.args, *part.keywords.values()):
            yield from modules_of(inner)
    elif isinstance(part, types.MethodType):
        yield from modules_of(part.__self__)
    elif isinstance(part, types.FunctionType):
        yield part.__module__
    else:
        yield type(part).__module__
