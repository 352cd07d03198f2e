"""How hard Hypothesis tries: as the kit's profiles say, chosen by the environment."""

from __future__ import annotations

from azcn_events.testing.profiles import load_profile

load_profile()
