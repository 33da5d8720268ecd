"""Has the classes of LSP's messages made when each is first used: an editor's session uses a tenth of them.

`lsprotocol.types` is one module of 554 attrs classes, and attrs writes and compiles methods for each: two thirds of the
time in which the server would start, and 9 MB. `load` imports that module with `attrs.define` put off: a class stays
plain until it is instantiated, or somebody (cattrs) looks at its fields. Nothing of the package is copied or changed;
where it is not as it was when this was written, it is imported as usual.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

logger = logging.getLogger(__name__)

TYPES: Final = "lsprotocol.types"
_FIELDS: Final = "__attrs_attrs__"
"""Where attrs keeps a class's fields, and where everybody looks to see whether it is an attrs class."""

_INIT: Final = "__init__"

_making = threading.RLock()


def load() -> bool:
    """Import `lsprotocol.types`, its classes put off; whether they are. To be called before anything imports it."""
    if TYPES in sys.modules:
        return False
    try:
        _load()
    except Exception:
        logger.debug("lsprotocol is not as expected; it is imported as usual.", exc_info=True)
        for name in [name for name in sys.modules if name.split(".")[0] == "lsprotocol"]:
            del sys.modules[name]
        return False
    return True


def _load() -> None:
    import attrs

    spec = importlib.util.find_spec(TYPES)
    if spec is None or spec.loader is None:
        raise ImportError(TYPES)
    module = importlib.util.module_from_spec(spec)
    stand_in = ModuleType("attrs")
    stand_in.__dict__.update(vars(attrs), define=lambda cls: _put_off(cls, module))
    sys.modules[TYPES] = module
    # The module's `import attrs` finds the stand-in; nobody else imports anything meanwhile.
    sys.modules["attrs"] = stand_in
    try:
        spec.loader.exec_module(module)
    finally:
        sys.modules["attrs"] = attrs
    module.__dict__["attrs"] = attrs
    package = importlib.import_module("lsprotocol")
    package.types = module  # type: ignore[attr-defined]  # as an ordinary import does
    hooks = importlib.import_module("lsprotocol._hooks")
    # It would resolve the annotations of all classes, and so make them; each is resolved when it is made.
    if vars(hooks)["_resolved_forward_references"]:  # KeyError where it is done in another way
        raise ImportError(hooks.__name__)
    vars(hooks)["_resolved_forward_references"] = True


class _Fields:
    """Stands in a class for its fields, until somebody looks at them."""

    def __init__(self, make: Callable[[], None]) -> None:
        self._make = make

    def __get__(self, instance: object, cls: type) -> Any:
        self._make()
        return cls.__dict__[_FIELDS]


def _put_off(cls: type, module: ModuleType) -> type:
    """`cls` as it is, but for two places at which it becomes what `attrs.define` makes of it."""

    def make() -> None:
        with _making:
            if isinstance(cls.__dict__.get(_FIELDS), _Fields):
                _make(cls, module)

    def first(self: object, *arguments: Any, **named: Any) -> None:
        make()
        type(self).__init__(self, *arguments, **named)

    setattr(cls, _INIT, first)
    setattr(cls, _FIELDS, _Fields(make))
    return cls


def _make(cls: type, module: ModuleType) -> None:
    import attrs

    delattr(cls, _INIT)
    delattr(cls, _FIELDS)
    attrs.define(slots=False)(cls)  # in place, since the class is known by now
    attrs.resolve_types(cls, module.ALL_TYPES_MAP, {})
