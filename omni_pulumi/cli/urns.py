"""URNs of resources, and their short names for people.

Source: https://www.pulumi.com/docs/iac/concepts/resources/names/#urns
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple


class Urn(NamedTuple):
    """``urn:pulumi:<stack>::<project>::<parent types>$<type>::<name>``; a name may contain colons."""

    stack: str
    project: str
    parents: str
    type: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Urn:
        """Return the parts of a URN. A missing part is empty."""
        stack, project, types, name = [*text.removeprefix("urn:pulumi:").split("::", 3), "", "", ""][:4]
        parents, _, type_ = types.rpartition("$")
        return cls(stack, project, parents, type_, name)

    @property
    def short(self) -> str:
        """The last part of the type, and the name: ``DbtEnvironment staging``."""
        return f"{self.kind} {self.name}"

    @property
    def long(self) -> str:
        """The short name after the types of the components: ``Team/DbtEnvironment staging``."""
        parents = [parent.rpartition(":")[2] for parent in self.parents.split("$") if parent]
        return "/".join([*parents, self.short])

    @property
    def kind(self) -> str:
        """The last part of the type. A provider's is its package: ``snowflake provider``."""
        last = self.type.rpartition(":")[2]
        return f"{last} provider" if self.type.startswith("pulumi:providers:") else last

    @property
    def is_stack(self) -> bool:
        """Whether this is the stack, which is a resource too."""
        return self.type == "pulumi:pulumi:Stack"

    @property
    def is_default_provider(self) -> bool:
        """Whether the engine created this provider: its name is ``default`` or like ``default_1_2_3``."""
        return self.type.startswith("pulumi:providers:") and self.name.partition("_")[0] == "default"


def ambiguous_names(urns: Iterable[Urn]) -> set[str]:
    """Return the short names that several of the resources have."""
    return {name for name, count in Counter(urn.short for urn in {*urns}).items() if count > 1}
