"""Decodes the values in a preview, compares them, and masks secrets.

A secret is ``"[secret]"`` in one JSON format and an object with a signature in the other. That object contains the
plain text when the preview ran with ``--show-secrets``. The engine masks only the values that it knows to be secret.
This module also masks a value whose name looks secret, a text that looks like a secret, such as a token, and a value
whose other side of a change is secret.

Source: https://www.pulumi.com/docs/iac/concepts/secrets/ and ``pulumi.runtime.rpc`` for the signatures.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from omni_pulumi.redact import mask_urls, quoted_forms
from omni_pulumi.secret_text import SECRET, is_searchable, is_secret_name, is_secret_value, is_setting

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a signature
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_KINDS = {
    "c44067f5952c0a294b673a41bacd8c17": "asset",
    "0def7320c3a5731c473e5ecbe6d01bc7": "archive",
    "5cf8f73096256a8f31e491e813e4eb8e": "resource",
}
_UNKNOWNS = {
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
}
"""Placeholders of unknown values, one for each type. Programs in Python only send the one of a string."""

_SECRET_MAPS = {"secretVariables", "secret_variables"}


class Special(Enum):
    """A value that is absent or unknown."""

    ABSENT = ""
    UNKNOWN = "known after apply"


@dataclass(frozen=True)
class Secret:
    """A secret. Its value is only compared, and is ``None`` when the preview does not contain it."""

    known: Any = field(default=None, repr=False)

    def __str__(self) -> str:
        return SECRET


Value = Any
"""A JSON value. Any part of it may be a :class:`Secret` or a :class:`Special`."""


@dataclass(frozen=True)
class Change:
    """A value that differs, such as ``variables.DBT_TARGET``.

    Attributes:
        path: where the value is.
        before: the old value.
        after: the new value.
        remark: what changed about a secret, whose values are masked.
    """

    path: str
    before: Value
    after: Value
    remark: str = ""


class Decoder:
    """Decodes values, and collects the plain texts of secrets in ``secrets``."""

    def __init__(self) -> None:
        """Start without secrets."""
        self.secrets: set[str] = set()

    def decode(self, raw: Any) -> Value:
        """Return a value of either JSON format."""
        if isinstance(raw, dict):
            if _SIGNATURE in raw:
                return self._special(raw)
            return {key: self._member(key, value) for key, value in raw.items() if key != "__provider"}
        if isinstance(raw, list):
            items = [self.decode(item) for item in raw]
            return Secret(json.dumps(raw, sort_keys=True)) if any(map(_has_secret, items)) else items
        if raw == SECRET:
            return Secret()
        if isinstance(raw, str) and raw in _UNKNOWNS:
            return Special.UNKNOWN
        if isinstance(raw, str) and is_secret_value(mask_urls(raw)):
            return self._secret(raw)
        if isinstance(raw, float) and raw.is_integer():
            return int(raw)
        return raw

    def changes(self, old: Value, new: Value, path: str = "") -> Iterator[Change]:
        """Yield the values that differ.

        If one side is secret, both are masked. Two secrets without plain texts count as equal.
        """
        old, new = (Special.ABSENT if value is None else value for value in (old, new))
        if isinstance(old, Secret) or isinstance(new, Secret):
            before, after = self._masked(old), self._masked(new)
            if not (isinstance(old, Secret) and isinstance(new, Secret)) or _known_to_differ(old, new):
                yield Change(path, before, after, _remark(old, new))
        elif _is_all(dict, old, new):
            old, new = ({} if value is Special.ABSENT else value for value in (old, new))
            for key in sorted({*old, *new}):
                yield from self.changes(old.get(key), new.get(key), _join(path, key))
        elif _is_all(list, old, new) and any(isinstance(item, dict) for item in (*_items(old), *_items(new))):
            pairs = itertools.zip_longest(_items(old), _items(new))
            for index, (before, after) in enumerate(pairs):
                yield from self.changes(before, after, f"{path}[{index}]")
        elif show(old) != show(new) and not {show(old), show(new)} <= {"", "[]"}:
            yield Change(path, old, new)

    def _member(self, key: str, value: Any) -> Value:
        if key in _SECRET_MAPS and isinstance(value, dict) and _SIGNATURE not in value:
            return {name: self._secret(item) for name, item in value.items()}
        if key in _SECRET_MAPS and value:
            return self._secret(value)
        special = isinstance(value, dict) and _SIGNATURE in value
        if not is_secret_name(key) or special or value is None or isinstance(value, bool):
            return self.decode(value)
        return Secret(json.dumps(value)) if is_setting(str(value)) else self._secret(value)

    def _special(self, raw: dict[str, Any]) -> Value:
        kind = raw[_SIGNATURE]
        if kind == _OUTPUT and not raw.get("secret"):
            return self.decode(raw["value"]) if "value" in raw else Special.UNKNOWN
        if kind in _KINDS:
            return f"({_KINDS[kind]} {str(raw.get('hash') or raw.get('urn') or '').rpartition('::')[2]})"
        return self._secret(raw)

    def _secret(self, raw: Any) -> Secret:
        """Return a secret and collect its plain texts."""
        if isinstance(raw, dict) and _SIGNATURE in raw:
            text = raw.get("plaintext")
            try:
                raw = raw.get("value") if text is None else json.loads(text)
            except (ValueError, TypeError):
                raw = text
        if raw is None or raw == SECRET:
            return Secret()
        self.secrets.update(part for text in _texts(raw) for part in _parts(text))
        return Secret(json.dumps(raw, sort_keys=True, default=str))

    def _masked(self, value: Value) -> Value:
        return value if isinstance(value, Secret) or value is Special.ABSENT else self._secret(value)


def masked_on_both_sides(old: Value, new: Value, path: str = "") -> tuple[str, ...]:
    """Return the paths of the secrets without plain text on either side, which count as equal."""
    if isinstance(old, Secret) and isinstance(new, Secret):
        return () if _known_to_be_equal(old, new) else (path,)
    if not isinstance(old, dict) or not isinstance(new, dict):
        return ()
    keys = sorted(old.keys() & new.keys())
    return tuple(found for key in keys for found in masked_on_both_sides(old[key], new[key], _join(path, key)))


def show(value: Value) -> str:
    """Return a value as JSON, and a string without quotes unless it could be read as another value."""
    if isinstance(value, Special):
        return value.value
    if isinstance(value, Secret):
        return SECRET
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=_shown)
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return value if value == value.strip() and value else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)


def _shown(part: Any) -> str:
    return f"({part.value})" if isinstance(part, Special) else str(part)


def _is_all(kind: type, *values: Value) -> bool:
    """Return whether at least one value has the type, and the others are absent."""
    return any(isinstance(v, kind) for v in values) and all(isinstance(v, kind) or v is Special.ABSENT for v in values)


def _items(value: Value) -> list[Any]:
    return value if isinstance(value, list) else []


def _join(path: str, key: str) -> str:
    if not re.fullmatch(r"[^.\[\]\"\s]+", key):
        return f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{path}.{key}" if path else key


def _remark(before: Value, after: Value) -> str:
    if isinstance(before, Secret) and isinstance(after, Secret):
        return "another value"
    if isinstance(before, Special) or isinstance(after, Special):
        return ""
    return "no longer secret" if isinstance(before, Secret) else "secret from now on"


def _known_to_differ(before: Secret, after: Secret) -> bool:
    return before.known is not None and after.known is not None and before.known != after.known


def _known_to_be_equal(before: Secret, after: Secret) -> bool:
    return before.known is not None and before.known == after.known


def _has_secret(value: Value) -> bool:
    if isinstance(value, dict):
        return any(map(_has_secret, value.values()))
    if isinstance(value, list):
        return any(map(_has_secret, value))
    return isinstance(value, Secret)


def _texts(raw: Any) -> Iterator[str]:
    """Yield all strings inside a value. The keys of a secret object are not secret."""
    if isinstance(raw, dict):
        for key, value in raw.items():
            if key != _SIGNATURE:
                yield from _texts(value)
    elif isinstance(raw, list):
        for value in raw:
            yield from _texts(value)
    elif isinstance(raw, Secret):
        yield from _texts(json.loads(raw.known) if raw.known else None)
    elif raw is not None and not isinstance(raw, bool | Special):
        yield str(raw)


def _parts(text: str) -> set[str]:
    """Return the forms of a secret to search for in texts."""
    forms = {text.strip(), *quoted_forms(text)}
    return {form for form in forms if is_searchable(form) and form not in {SECRET, *_UNKNOWNS}}
