"""The page in an audit pack: what is in it, and how to check it without us.

Nothing in it comes from an event or from a name that somebody chose: only two numbers
are filled in. Its commands and its program are run by our tests, as they stand there.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from azcn_events.audit.checkpoints import Checkpoint

__all__ = ["page"]


def page(checkpoint: Checkpoint, *, has_policy: bool) -> str:
    """Give the page, as Markdown.

    Args:
        checkpoint: The checkpoint up to which the pack goes.
        has_policy: Whether there is a policy in it.
    """
    text = files("azcn_events.audit").joinpath("pack_page.md").read_text("utf-8")
    filled = {
        "{SIZE}": str(checkpoint.size),
        "{ROOT}": checkpoint.root.hex(),
        "{POLICY}\n": _POLICY if has_policy else "",
    }
    for place, said in filled.items():
        text = text.replace(place, said)
    return text


_POLICY: Final = """\
| `policy.txt` | who must have signed the checkpoint besides (C2SP tlog-policy) |
"""
