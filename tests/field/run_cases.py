"""Print how many cases from the field give their right answer.

python tests/field/run_cases.py [NUMBER...]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from field_cases import BARS, CASES, outcome, said_of_bars


def main() -> None:
    """Run the cases that are named, or all of them."""
    shared = Path(__file__).resolve().parents[3] / "shared"
    cases = {case.name: case for case in CASES}
    wanted = sorted(n for n in (*cases, *BARS) if not sys.argv[1:] or n[:2] in sys.argv[1:])
    right = 0
    for name in wanted:
        with tempfile.TemporaryDirectory() as folder:
            try:
                said = (
                    said_of_bars(name, shared)
                    if name in BARS
                    else outcome(cases[name], shared, Path(folder))
                )
            except Exception as error:
                said = [f"{type(error).__name__}: {error}"[:400]]
        right += not said
        sys.stdout.write(f"{name} {'; '.join(said) or 'ok'}\n")
    sys.stdout.write(f"{right} of {len(wanted)} right\n")


if __name__ == "__main__":
    main()
