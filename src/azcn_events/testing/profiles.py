"""How hard Hypothesis tries: four profiles, chosen by the environment."""

from __future__ import annotations

import os

from hypothesis import settings

__all__ = ["load_profile"]


def load_profile(name: str = "") -> None:
    """Set how hard Hypothesis tries; call it in your ``conftest.py``.

    ======= ========== =======================================================
    name    examples
    ======= ========== =======================================================
    dev     60         new ones each time
    ci      100        the same ones each time: a run that fails can be repeated
    short   20         the same ones each time
    nightly 2,000      new ones each time
    ======= ========== =======================================================

    Args:
        name: One of them, or a profile that you registered. If empty, what the
            environment variable ``HYPOTHESIS_PROFILE`` says; else ``ci`` where
            ``CI`` is set; else ``dev``.

    Raises:
        InvalidArgument: Hypothesis', if there is no such profile.
    """
    # No deadlines: they measure the machine and its neighbours, not the code. Whether
    # examples are the same each time is always said: else it is as in the profile that
    # was loaded before.
    settings.register_profile("dev", max_examples=60, deadline=None, derandomize=False)
    settings.register_profile(
        "ci", max_examples=100, deadline=None, derandomize=True, print_blob=True
    )
    settings.register_profile("short", max_examples=20, deadline=None, derandomize=True)
    settings.register_profile(
        "nightly",
        max_examples=2_000,
        deadline=None,
        derandomize=False,
        print_blob=True,
    )
    chosen = name or _asked_for()
    settings.get_profile(chosen)  # Loading one that is not there breaks what follows.
    settings.load_profile(chosen)


def _asked_for() -> str:
    by_place = "ci" if os.environ.get("CI") else "dev"
    return os.environ.get("HYPOTHESIS_PROFILE") or by_place
