"""The programs of the stateful test: which resources they may declare, and how they change."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.stateful.kind import Kind
from tests.stateful.kinds import KINDS

_DISTINCT = {each.name: (kind, each) for kind in KINDS for each in kind.declarations}

DUPLICATES = {name: f"{name} duplicate" for name, (_, each) in _DISTINCT.items() if each.has_duplicate}
"""Names of resources that declare the same object as another one, by the name of the other one."""

_ALL = {**_DISTINCT, **{duplicate: _DISTINCT[name] for name, duplicate in DUPLICATES.items()}}

DECLARATIONS = {name: each.arguments for name, (_, each) in _ALL.items()}
"""Arguments that a program may declare, by the resource's name."""

_WEIGHTS = {name: each.weight for name, (_, each) in sorted(_ALL.items())}

NAMES = st.sampled_from([*_WEIGHTS, *(name for name, weight in _WEIGHTS.items() for _ in range(weight - 1))])
"""Names of resources. Those with a higher weight are more frequent."""

FORMERLY = " formerly"
"""The suffix of the name that a renamed resource has in the state."""


def kind_of(name: str) -> Kind:
    """Return the kind of a resource's object, by the name of the resource in the program or in the state."""
    return _ALL[name.removesuffix(FORMERLY)][0]


ADOPT = st.sampled_from([None, None, False, True, "existing"])
"""The argument `adopt`. ``None`` keeps its value in the program."""
