"""Writes trials to a ledger and says so after each: for tests that kill it.

python ledger_writer.py LEDGER NAME NUMBER
"""

from __future__ import annotations

import sys

import numpy as np

from gexlab.backtest.tournament.ledger import Trial, record_trials
from gexlab.data.lake.mirror import folder_of_lake


def main(ledger: str, name: str, number: str) -> None:
    days = np.arange("2020-01-01", "2020-03-01", dtype="datetime64[D]")
    for k in range(int(number)):
        returns = np.random.default_rng(k).standard_normal(len(days))
        trial_id = f"{name}-{k}"
        record_trials(
            folder_of_lake(ledger),
            [Trial(trial_id, trial_id, "test", "SPX", "data", days, returns)],
        )
        sys.stdout.write(f"{trial_id}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
