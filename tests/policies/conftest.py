"""Puts the modules of the policy pack on the path, as the engine does."""

from __future__ import annotations

import sys

from tests.policies.pack import PACK

sys.path.insert(0, str(PACK))
