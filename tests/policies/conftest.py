"""The policy pack is a folder that the engine starts with its own modules on the path, and the tests do the same."""

from __future__ import annotations

import sys

from tests.policies.pack import PACK

sys.path.insert(0, str(PACK))
