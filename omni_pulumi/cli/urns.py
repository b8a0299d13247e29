"""Names of resources, as short as a person says them.

Source: https://www.pulumi.com/docs/iac/concepts/resources/names/#urns
"""

from __future__ import annotations

from typing import NamedTuple


class Urn(NamedTuple):
    """``urn:pulumi:<stack>::<project>::<parent type>$<type>::<name>``; a name may have colons of its own."""

    stack: str
    project: str
    parents: str
    type: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Urn:
        """Take a URN apart; what is missing is empty."""
        stack, project, types, name = [*text.removeprefix("urn:pulumi:").split("::", 3), "", "", ""][:4]
        parents, _, type_ = types.rpartition("$")
        return cls(stack, project, parents, type_, name)

    @property
    def short(self) -> str:
        """The type's last part and the name: ``DbtEnvironment staging``."""
        return f"{self.kind} {self.name}"

    @property
    def long(self) -> str:
        """The same below the types of its components: ``Team/DbtEnvironment staging``."""
        parents = [parent.rpartition(":")[2] for parent in self.parents.split("$") if parent]
        return "/".join([*parents, self.short])

    @property
    def kind(self) -> str:
        """The type's last part, which a provider has from its package: ``snowflake provider``."""
        last = self.type.rpartition(":")[2]
        return f"{last} provider" if self.type.startswith("pulumi:providers:") else last

    @property
    def is_stack(self) -> bool:
        """The stack itself is a resource too."""
        return self.type == "pulumi:pulumi:Stack"

    @property
    def is_default_provider(self) -> bool:
        """A provider that the engine makes by itself: ``default``, or with a version ``default_1_2_3``."""
        return self.type.startswith("pulumi:providers:") and self.name.partition("_")[0] == "default"
