"""A provider process: its log, Ctrl-C, and the errors that the engine shows."""

from __future__ import annotations

import io
import logging
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.protobuf import empty_pb2
from pulumi import dynamic

from omni_pulumi.errors import CancelledError, Error
from omni_pulumi.process import PROCESS
from omni_pulumi.resources.dbt_configuration import DbtConfigurationProvider

REAL_SLEEP = PROCESS.cancellation.sleep
"""The method that the fixture `sleeps` replaces."""


def configure() -> None:
    """Configure a provider, as Pulumi does before it calls any other method."""
    config = dynamic.Config(raw_config={}, project_name="project")
    DbtConfigurationProvider().configure(dynamic.ConfigureRequest(config=config))


def test_the_log_masks_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each message goes to stderr once, also with several providers, and the user part of URLs is masked."""
    log, stderr = logging.getLogger("omni_pulumi"), io.StringIO()
    monkeypatch.setattr(log, "handlers", [])
    monkeypatch.setattr(log, "propagate", True)
    monkeypatch.setattr(sys, "stderr", stderr)
    configure()
    configure()
    logging.getLogger("omni_pulumi.anything").warning("found %s", "https://user:made-up-token@acme.test/dbt.git")
    assert stderr.getvalue() == "omni_pulumi: found https://[secret]@acme.test/dbt.git\n"


@pytest.fixture
def _reset_process() -> Iterator[None]:
    """Undo a cancellation after the test."""
    yield
    PROCESS.reset()


def main_module(monkeypatch: pytest.MonkeyPatch, **names: object) -> Any:
    """Replace the main module by one with these names. In a provider process, Pulumi's servicer is the main module."""
    module = types.ModuleType("__main__")
    vars(module).update(names)
    monkeypatch.setitem(sys.modules, "__main__", module)
    return module


class Servicer:
    """A servicer whose method can be patched, like Pulumi's."""

    def Cancel(self, _request: object, _context: object) -> str:  # noqa: N802 - Pulumi's name
        return "Pulumi's response"


def decorated(method: Callable[..., object]) -> Callable[..., object]:
    """Decorate a method, as Pulumi decorates most methods of its servicer."""

    def wrapper(self: object, request: object, context: object) -> object:
        return method(self, request, context)

    return wrapper


class DecoratedServicer:
    """A servicer whose method is decorated, so that it cannot be patched."""

    Cancel = decorated(Servicer.Cancel)


class BuiltinServicer:
    """A servicer whose method is a builtin, so that it cannot be patched."""

    Cancel = len


@pytest.mark.usefixtures("_reset_process")
def test_cancel_ends_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """``Cancel`` returns Pulumi's response and ends all waiting, also when several providers are configured."""
    servicer = type("Servicer", (), {"Cancel": types.FunctionType(Servicer.Cancel.__code__, {})})
    main_module(monkeypatch, DynamicResourceProviderServicer=servicer)
    configure()
    configure()
    assert servicer().Cancel(None, None) == empty_pb2.Empty()
    with pytest.raises(CancelledError):
        REAL_SLEEP(60)


@pytest.mark.parametrize("servicer", [DecoratedServicer, BuiltinServicer, object])
def test_a_cancel_that_cannot_be_patched(monkeypatch: pytest.MonkeyPatch, servicer: Any) -> None:
    """A provider is configured, too, when another release of Pulumi has a ``Cancel`` that cannot be patched."""
    before = getattr(servicer, "Cancel", None)
    main_module(monkeypatch, DynamicResourceProviderServicer=servicer)
    configure()
    assert getattr(servicer, "Cancel", None) is before
    if servicer is DecoratedServicer:
        assert servicer().Cancel(None, None) == "Pulumi's response"
    REAL_SLEEP(0)


def sent_to_the_engine(module: Any, error: Exception) -> Any:
    """Return what Pulumi's servicer sends to the engine when a provider raises an error."""
    try:
        raise error  # noqa: TRY301 - stands for the method of a provider
    except Exception:  # noqa: BLE001 - the servicer does the same
        return module.traceback.format_exc()


def test_an_error_is_shown_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of this package is shown as its text, any other error with its traceback.

    The other functions of the `traceback` module stay available to the servicer, and other modules are not affected.
    """
    main = main_module(monkeypatch, DynamicResourceProviderServicer=Servicer, traceback=traceback)
    configure()
    configure()
    assert sent_to_the_engine(main, Error("It is odd.")) == "It is odd."
    assert [
        line
        for line in ("Traceback", "in sent_to_the_engine", "KeyError: 'odd'")
        if line not in sent_to_the_engine(main, KeyError("odd"))
    ] == []
    assert main.traceback.extract_stack is traceback.extract_stack
    assert not isinstance(traceback.format_exc, types.MethodType), "the module `traceback` must not change"


@pytest.mark.parametrize(
    "names",
    [{}, {"traceback": None}, {"traceback": traceback.format_exc}],
    ids=["no traceback", "none", "another function"],
)
def test_a_servicer_without_traceback_is_not_patched(monkeypatch: pytest.MonkeyPatch, names: dict[str, object]) -> None:
    """A provider is configured, too, when another release of Pulumi formats errors in another way."""
    main = main_module(monkeypatch, DynamicResourceProviderServicer=Servicer, **names)
    configure()
    assert getattr(main, "traceback", None) is names.get("traceback")


def test_a_program_is_not_patched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is patched when the main module is not Pulumi's servicer."""
    main = main_module(monkeypatch, traceback=traceback)
    configure()
    assert main.traceback is traceback
