"""The policy pack: ``pulumi preview --policy-pack policies`` starts this file; the rules are in ``rules``."""

from pulumi_policy import PolicyPack
from rules import POLICIES

PolicyPack("omni-pulumi", POLICIES)
