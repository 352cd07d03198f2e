"""What was known when: one date, learned late, on both time axes."""

from pathlib import Path

from azcn_events import Ledger

SEEDS = Path(__file__).parents[1] / "seeds"


def main() -> None:
    """Ask for the conference's date before and after it was written down."""
    with Ledger.open("memory:") as ledger:
        for path in sorted(SEEDS.glob("*.jsonl")):
            ledger.load(path)
        for known_by in ("2025-04-25", "2025-05-02"):
            table = ledger.view(known_by=known_by).report("package")
            date = table.cell("package/beijing-2025-04", "date", column="reported")
            print(f"known by {known_by}: {date.value}")

        # On 20 April the conference had taken place, but nobody had written it down.
        unknown = ledger.view(as_of="2025-04-20", known_by="2025-04-20")
        print(f"agreements known then: {len(unknown.report('status'))}")

        then, now = ledger.view(known_by="2025-04-25"), ledger.view()
        print(now.report("changes", before=then))


if __name__ == "__main__":
    main()
