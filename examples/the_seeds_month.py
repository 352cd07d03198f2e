"""The seed's month: load the real history and report on it."""

from pathlib import Path

from azcn_events import Ledger

SEEDS = Path(__file__).parents[1] / "seeds"


def main() -> None:
    """Load the seed's files and print what is known, and what is not."""
    with Ledger.open("memory:") as ledger:
        for path in sorted(SEEDS.glob("*.jsonl")):
            receipt = ledger.load(path)
            print(f"{path.name}: {len(receipt.records)} facts")
        print(ledger.report("package"))
        print(ledger.report("funnel"))
        print(ledger.report("pipeline", policy="committed"))


if __name__ == "__main__":
    main()
