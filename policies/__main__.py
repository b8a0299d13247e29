"""Starts the policy pack for ``pulumi preview --policy-pack policies``. The policies are in ``rules``."""

from pulumi_policy import PolicyPack
from rules import POLICIES

PolicyPack("omni-pulumi", POLICIES)
