"""arch is imported without matplotlib, which is there again afterwards."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from gexlab.data import without_plots
with without_plots():
    from arch.unitroot import VarianceRatio
    from arch.unitroot import _shared
assert not [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]
assert callable(_shared.plt.subplots)  # drawn by arch itself, later
import matplotlib
assert matplotlib.__version__ and sys.modules["matplotlib.pyplot"]
with without_plots():
    assert sys.modules["matplotlib"] is matplotlib
"""


def test_arch_comes_without_matplotlib_and_may_still_draw() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
