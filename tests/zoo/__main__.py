"""Run every check of the zoo: ``python -m tests.zoo [--write] [name ...]``."""

from __future__ import annotations

import sys
from time import process_time

from tests.zoo.zoo import GROUPS, PAGE, Visit, page, summary, visit

from azcn_events.testing.profiles import load_profile


def main(arguments: list[str]) -> int:
    """Print what each check says; with names, the cases of these bugs alone."""
    load_profile("ci")
    names = {argument for argument in arguments if argument != "--write"}
    started, visits = process_time(), list[Visit]()
    for bugs in GROUPS.values():
        for bug in bugs:
            if not names or bug.name in names:
                visits.append(visit(bug))
                _tell(visits[-1], with_cases=bool(names))
    if not visits:
        sys.stdout.write("there is no such bug\n")
        return 2
    sys.stdout.write(f"\n{summary(visits)}\n{process_time() - started:.0f} s of CPU\n")
    if "--write" in arguments and not names:
        PAGE.write_text(page(visits), encoding="utf-8")
    return 0


def _tell(one: Visit, *, with_cases: bool) -> None:
    found = one.finding
    said = f"{found.events} events, {', '.join(found.laws)}" if found.laws else "MISSED"
    sys.stdout.write(f"{one.bug.name}: {said} ({found.seconds:.1f} s)\n")
    for alarm in one.alarms:
        sys.stdout.write(f"  FALSE ALARM: {alarm}\n")
    if with_cases:
        sys.stdout.write("\n".join((*found.cases, "")))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
