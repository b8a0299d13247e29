"""A policy pack with all rules of omni_pulumi, for ``pulumi preview --policy-pack policies``."""

from pulumi_policy import PolicyPack

from omni_pulumi.policies import select_policies

PolicyPack("omni-pulumi", select_policies())
