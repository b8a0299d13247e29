"""What a provider does to the process that it runs in: its log, Ctrl-C, and how its errors are shown."""

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

from omni_pulumi.api.errors import CancelledError, Error
from omni_pulumi.process import PROCESS
from omni_pulumi.resources.dbt_configuration import DbtConfigurationProvider

SLEEP = PROCESS.cancellation.sleep


def configure() -> None:
    """What Pulumi calls before anything else of a provider."""
    config = dynamic.Config(raw_config={}, project_name="project")
    DbtConfigurationProvider().configure(dynamic.ConfigureRequest(config=config))


def test_the_log_masks_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log goes to stderr once, however often a provider is configured, without the user part of a URL."""
    log, stderr = logging.getLogger("omni_pulumi"), io.StringIO()
    monkeypatch.setattr(log, "handlers", [])
    monkeypatch.setattr(log, "propagate", True)
    monkeypatch.setattr(sys, "stderr", stderr)
    configure()
    configure()
    logging.getLogger("omni_pulumi.anything").warning("found %s", "https://user:made-up-token@acme.test/dbt.git")
    assert stderr.getvalue() == "omni_pulumi: found https://[secret]@acme.test/dbt.git\n"


@pytest.fixture
def _new_process() -> Iterator[None]:
    """The tests that follow know nothing of a cancellation in this one."""
    yield
    PROCESS.reset()


def main_module(monkeypatch: pytest.MonkeyPatch, **names: object) -> Any:
    """Stands for Pulumi's module, which is the main one in the process of a provider."""
    module = types.ModuleType("__main__")
    vars(module).update(names)
    monkeypatch.setitem(sys.modules, "__main__", module)
    return module


class Servicer:
    """Has Pulumi's method in its usual form."""

    def Cancel(self, _request: object, _context: object) -> str:  # noqa: N802 - Pulumi's name
        return "Pulumi's answer"


def decorated(method: Callable[..., object]) -> Callable[..., object]:
    """Wraps a method as Pulumi wraps most methods of its servicer."""

    def wrapper(self: object, request: object, context: object) -> object:
        return method(self, request, context)

    return wrapper


class DecoratedServicer:
    """Has the method in a form whose code cannot be exchanged."""

    Cancel = decorated(Servicer.Cancel)


class BuiltinServicer:
    """Has no code of Python at all."""

    Cancel = len


@pytest.mark.usefixtures("_new_process")
def test_cancel_ends_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulumi's answer to Ctrl-C stays the same and ends all waiting, however often a provider is configured."""
    servicer = type("Servicer", (), {"Cancel": types.FunctionType(Servicer.Cancel.__code__, {})})
    main_module(monkeypatch, DynamicResourceProviderServicer=servicer)
    configure()
    configure()
    assert servicer().Cancel(None, None) == empty_pb2.Empty()
    with pytest.raises(CancelledError):
        SLEEP(60)


@pytest.mark.parametrize("servicer", [DecoratedServicer, BuiltinServicer, object])
def test_a_cancel_that_cannot_be_exchanged_stays(monkeypatch: pytest.MonkeyPatch, servicer: Any) -> None:
    """Another release of Pulumi may decorate the method: providers are configured all the same, and Ctrl-C waits."""
    before = getattr(servicer, "Cancel", None)
    main_module(monkeypatch, DynamicResourceProviderServicer=servicer)
    configure()
    assert getattr(servicer, "Cancel", None) is before
    if servicer is DecoratedServicer:
        assert servicer().Cancel(None, None) == "Pulumi's answer"
    SLEEP(0)


def shown(module: Any, error: Exception) -> Any:
    """What Pulumi's servicer sends to the engine when a provider raises an error."""
    try:
        raise error  # noqa: TRY301 - a provider's method is no more than this here
    except Exception:  # noqa: BLE001 - as the servicer does
        return module.traceback.format_exc()


def test_an_error_is_shown_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of this package is its text; another error keeps its traceback, and the module all other functions."""
    main = main_module(monkeypatch, DynamicResourceProviderServicer=Servicer, traceback=traceback)
    configure()
    configure()
    assert shown(main, Error("It is odd.")) == "It is odd."
    assert [
        line for line in ("Traceback", "in shown", "KeyError: 'odd'") if line not in shown(main, KeyError("odd"))
    ] == []
    assert main.traceback.extract_stack is traceback.extract_stack
    assert not isinstance(traceback.format_exc, types.MethodType), "the module itself is another program's too"


@pytest.mark.parametrize(
    "names",
    [{}, {"traceback": None}, {"traceback": traceback.format_exc}],
    ids=["no traceback", "none", "another function"],
)
def test_another_servicer_shows_what_it_wants(monkeypatch: pytest.MonkeyPatch, names: dict[str, object]) -> None:
    """Another release of Pulumi may format errors in another way: providers are configured all the same."""
    main = main_module(monkeypatch, DynamicResourceProviderServicer=Servicer, **names)
    configure()
    assert getattr(main, "traceback", None) is names.get("traceback")


def test_a_program_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A main module that is no servicer is left alone."""
    main = main_module(monkeypatch, traceback=traceback)
    configure()
    assert main.traceback is traceback
