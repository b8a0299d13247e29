"""Policies for programs that use ``omni_pulumi``, for a policy pack of your own.

A pack selects the rules that it enforces::

    from omni_pulumi.policies import select_policies
    from pulumi_policy import PolicyPack

    PolicyPack("guardrails", select_policies(topics={"secrets", "repositories"}))

Needs the extra ``policies``.
"""

from omni_pulumi.policies.selection import select_policies

__all__ = ["select_policies"]
