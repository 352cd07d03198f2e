"""How hard Hypothesis tries: as the kit's profiles say, chosen by the environment.

One more is for mutation testing: few examples, and any that fails will do.
"""

from __future__ import annotations

from hypothesis import Phase, settings

from azcn_events.testing import load_profile

# No deadline, as for the others: it would measure the machine.
settings.register_profile(
    "mutation",
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
)
load_profile()
