"""The type of the fixture ``run``."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Run"]

Run = Callable[..., tuple[int, str, str]]
"""Runs a command of ``azcn``: gives its exit code, its output, its errors."""
