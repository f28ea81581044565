"""Print how many cases from the field give their right answer.

python tests/field/run_cases.py [NUMBER...]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from field_cases import CASES, complaints, run

from gexlab.data.base.errors import GexlabError


def main() -> None:
    """Run the cases that are named, or all of them."""
    shared = Path(__file__).resolve().parents[3] / "shared"
    wanted = [c for c in CASES if not sys.argv[1:] or c.name[:2] in sys.argv[1:]]
    right = 0
    for case in wanted:
        with tempfile.TemporaryDirectory() as folder:
            try:
                run(case, shared, Path(folder))
                said = complaints(case, Path(folder))
            except GexlabError as error:
                said = [f"refused: {error}"]
            except Exception as error:
                said = [f"{type(error).__name__}: {error}"[:400]]
        right += not said
        sys.stdout.write(f"{case.name} {'; '.join(said) or 'ok'}\n")
    sys.stdout.write(f"{right} of {len(wanted)} right\n")


if __name__ == "__main__":
    main()
