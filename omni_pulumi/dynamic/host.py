"""What this package changes in Pulumi's host: errors without a traceback, and Ctrl-C that ends waiting.

Pulumi's host for dynamic providers in Python has no setting for either. Each installation does nothing if a later
Pulumi works in another way.
"""

from __future__ import annotations

import contextlib
import sys
import types
from typing import Any

from omni_pulumi.errors import Error


class ShortTracebacks:
    """Shortens the traceback of our errors. Users see it when :func:`install_error_text` has no effect."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, Error):
            raise error.with_traceback(None) from None


def install_error_text() -> None:
    """Let users see the text of an error without a traceback.

    Pulumi's servicer sends ``traceback.format_exc()`` to the engine, which prints it. The servicer's module is the main
    module of this process.
    """
    main = sys.modules["__main__"]
    module = getattr(main, "traceback", None)
    if hasattr(main, "DynamicResourceProviderServicer") and isinstance(module, types.ModuleType):
        vars(main)["traceback"] = _Traceback(module)


class _Traceback:
    """Replaces the module ``traceback`` in Pulumi's servicer, and does not change the errors of other providers."""

    def __init__(self, module: types.ModuleType) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def format_exc(self, *arguments: Any, **keywords: Any) -> Any:
        """Return the text of one of our errors, and the traceback of any other error."""
        error = sys.exc_info()[1]
        return str(error) if isinstance(error, Error) else self._module.format_exc(*arguments, **keywords)


def install_cancel_handler() -> None:
    """Let Ctrl-C end waiting.

    The engine sends ``Cancel``, and Pulumi's servicer answers it without telling the providers. The servicer registers
    its method before this module is imported, so only the code of the method can be replaced. When that is impossible,
    because ``Cancel`` is decorated for example, Ctrl-C does not shorten the waiting.
    """
    servicer = getattr(sys.modules["__main__"], "DynamicResourceProviderServicer", None)
    handler = getattr(servicer, "Cancel", None)
    if isinstance(handler, types.FunctionType):
        with contextlib.suppress(ValueError):  # raised when the method has free variables
            handler.__code__ = _cancel.__code__


def _cancel(_self: Any, _request: Any, _context: Any) -> Any:
    """Runs in the servicer's module, so it imports what it needs."""
    from google.protobuf import empty_pb2

    from omni_pulumi.process import PROCESS

    PROCESS.cancellation.cancel()
    return empty_pb2.Empty()
