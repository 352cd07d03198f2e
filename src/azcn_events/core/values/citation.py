"""Where a fact can be checked."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from azcn_events.core.values.names import shown
from azcn_events.core.values.sealed import Sealed
from azcn_events.errors import InvalidValue

__all__ = ["Citation"]


@frozen(init=False)
class Citation:
    """Where a fact can be checked by somebody who does not trust us.

    Attributes:
        source: The source's stream, such as ``"source/trend-4035629"``.
        at: Place inside it, such as ``"paragraph 4"``; empty for all of it.
        speaker: Whose words they are, if not the publisher's own; may be sealed.
        digest: SHA-256 of the passage as ``sha256:`` and 64 hex digits, or empty.

    Raises:
        InvalidValue: If ``source`` is empty or ``digest`` has another form.
    """

    source: str
    at: str = ""
    speaker: str | Sealed = ""
    digest: str = ""

    # As for When: what is read back from a store was checked before it was written.
    def __init__(
        self,
        source: str,
        at: str = "",
        speaker: str | Sealed = "",
        digest: str = "",
    ) -> None:
        if type(source) is not str or not source:
            accepted = "the name of a source's stream, such as 'source/trend-4035629'"
            raise InvalidValue(shown(source), "a citation names its source", accepted)
        if digest and not _DIGEST.fullmatch(shown(digest)):
            accepted = "'sha256:' and 64 lower-case hexadecimal digits"
            raise InvalidValue(shown(digest), "this is not a digest", accepted)
        self.__attrs_init__(source, at, speaker, digest)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] - attrs makes it

    def __str__(self) -> str:
        place = f", {self.at}" if self.at else ""
        return f"{self.source}{place}{f' ({self.speaker})' if self.speaker else ''}"

    def plain(self) -> dict[str, str]:
        """Give the JSON form."""
        return {
            "source": self.source,
            "at": self.at,
            "speaker": str(self.speaker),
            "digest": self.digest,
        }


_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
