"""A program that erases a person from a ledger, to be killed while it does."""

from __future__ import annotations

import sys
from pathlib import Path

from azcn_events import Citation, Ledger
from azcn_events.audit.sealing import Vault
from azcn_events.core.events import Recorded

PERSON = "person/17"


def erase(directory: Path) -> Recorded:
    """Erase person 17, as a court has ordered."""
    with (
        Ledger.open(directory / "azcn.db", create=False) as ledger,
        Vault.open(directory / "vault.db", create=False) as vault,
    ):
        return vault.erase(
            ledger,
            person=PERSON,
            ordered_by="The court",
            ground="Law on personal data, article 5.3",
            approved_by=("A. Approver", "B. Approver"),
            cites=Citation("source/order-7"),
        )


if __name__ == "__main__":
    erase(Path(sys.argv[1]))
