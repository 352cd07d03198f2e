"""How hard Hypothesis tries, by the environment variable HYPOTHESIS_PROFILE.

``dev`` looks briefly at new examples each time, ``ci`` looks longer and at the
same ones each time (a run that fails can be repeated), ``short`` at few of them,
``mutation`` at fewer, and is content with any that fails, ``nightly`` looks for long.
Without the variable: ``ci`` where ``CI`` is set, else ``dev``.
"""

from __future__ import annotations

import os

from hypothesis import Phase, settings

# No deadlines: they measure the machine and its neighbours, not the code.
settings.register_profile("dev", max_examples=60, deadline=None)
settings.register_profile(
    "ci", max_examples=100, deadline=None, derandomize=True, print_blob=True
)
settings.register_profile("short", max_examples=20, deadline=None, derandomize=True)
settings.register_profile(
    "mutation",
    settings.get_profile("short"),
    max_examples=10,
    phases=(Phase.explicit, Phase.generate),
)
settings.register_profile("nightly", max_examples=2_000, deadline=None, print_blob=True)

settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
)
