"""One page in a browser as a reader has it: what it drew, said, asked for and took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Final

#: How long a page may take on a busy machine, by the clock.
_PATIENCE: Final = 120.0

#: What stands in a chart besides axes: lines, bars, marks, maps.
_DRAWN: Final = """
() => [...document.querySelectorAll(".plot")].filter((plot) => {
  const lines = ".scatterlayer .js-line, .scatterlayer .point, .scatterlayer .js-fill";
  const bars = ".barlayer .point path, .waterfalllayer .point path, .heatmaplayer image";
  const still = ".still .drawn path, .still .mark path, .still .mark circle";
  const marks = plot.querySelectorAll(lines + ", " + bars + ", " + still);
  return ![...marks].some((mark) => {
    const box = mark.getBoundingClientRect();
    return box.width > 0 || box.height > 0;
  });
}).map((plot) => plot.id)
"""
#: Texts of a chart that leave its frame or cover each other.
_COLLIDING: Final = """
() => {
  const said = [];
  for (const plot of document.querySelectorAll(".plot")) {
    const frame = plot.getBoundingClientRect();
    if (!frame.width) continue;
    const texts = [...plot.querySelectorAll("text")].filter((t) => t.textContent.trim());
    for (const text of texts) {
      const box = text.getBoundingClientRect();
      if (!box.width) continue;
      if (box.left < frame.left - 2 || box.right > frame.right + 2)
        said.push(`${plot.id}: "${text.textContent}" is cut`);
    }
    const legend = plot.querySelector(".legend");
    const area = plot.querySelector(".plot .bg, .bglayer rect, .xy > rect, .cartesianlayer .plot");
    if (legend && legend.getBoundingClientRect().height > 0.5 * frame.height)
      said.push(`${plot.id}: the legend covers half of it`);
  }
  return said;
}
"""
_MARKED: Final = "performance.getEntriesByName('first screen drawn')[0].startTime"
#: Where every chart begins and how high it is.
_PLACES: Final = """
() => [...document.querySelectorAll(".plot")].map((plot) => {
  const box = plot.getBoundingClientRect();
  return [plot.id, Math.round(box.top + scrollY), Math.round(box.height)];
})
"""
#: Words that stand outside of their own box, so that others lie upon them.
_SPILLING: Final = """
() => [...document.querySelectorAll("p, h1, h2, h3, dt, dd, figcaption, li, article")]
  .filter((node) => !node.classList.contains("unseen"))
  .filter((node) => node.clientWidth > 0 && getComputedStyle(node).display !== "inline")
  .filter((node) => node.scrollWidth > node.clientWidth + 2)
  .map((node) => "spills: " + node.textContent.slice(0, 60))
"""


@dataclass
class Seen:
    """A page in the browser.

    Attributes
    ----------
    page : playwright Page
    complaints : list of str
        Errors and warnings of its console.
    requests : list of str
        What it asked for.
    first, whole : float
        Processor time of all its threads until the first screen and until all charts are drawn, s.
    clock : float
        By the clock until the first screen is drawn, as the page itself marks it, seconds.
    stills : list of list
        Places of the charts while they were still pictures.
    """

    page: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    first: float = 0.0
    whole: float = 0.0
    clock: float = 0.0
    stills: list[list[Any]] = field(default_factory=list)

    def places(self) -> list[list[Any]]:
        """Return name, top and height of every chart."""
        return list(self.page.evaluate(_PLACES))

    def empty_charts(self) -> list[str]:
        """Return the charts in which nothing is drawn."""
        return list(self.page.evaluate(_DRAWN))

    def flaws(self) -> list[str]:
        """Return what is cut, spills or makes the page wider than its window."""
        said = [*self.page.evaluate(_COLLIDING), *self.page.evaluate(_SPILLING)]
        wide, window = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        if wide > window:
            said.append(f"{wide} px wide in a window of {window}")
        return said

    def unreadable(self) -> list[str]:
        """Return what axe-core finds serious or critical."""
        script = resources.files("axe_playwright_python") / "axe.min.js"
        self.page.evaluate(script.read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run({ resultTypes: ['violations'] })")
        return [
            f"{v['id']}: {node['html'][:120]}: {node['failureSummary'][:200]}"
            for v in found["violations"]
            if v["impact"] in ("serious", "critical")
            for node in v["nodes"]
        ]


@contextmanager
def seen(
    chromium: Any,
    path: Path,
    width: int = 1280,
    theme: str = "light",
    *,
    height: int = 900,
    script: bool = True,
) -> Iterator[Seen]:
    """Open a page and wait until its charts are drawn; without a script nothing is waited for."""
    window = chromium.new_page(
        viewport={"width": width, "height": height},
        color_scheme=theme,
        accept_downloads=True,
        java_script_enabled=script,
    )
    window.set_default_timeout(1000 * _PATIENCE)
    found = Seen(window)
    window.on("console", lambda m: found.complaints.append(f"{m.type}: {m.text}"))
    window.on("pageerror", lambda e: found.complaints.append(f"error: {e}"))
    window.on("request", lambda r: found.requests.append(r.url[:100]))
    clock = chromium.new_browser_cdp_session()
    begin = _processor_seconds(clock)
    window.goto(path.absolute().as_uri())
    if script and window.evaluate("!!document.querySelector('.plot')"):
        found.stills = found.places()
        _wait(window, ("first", "all"))
        found.first = _processor_seconds(clock) - begin
        _wait(window, ("all",))
        found.whole = _processor_seconds(clock) - begin
        found.clock = window.evaluate(_MARKED) / 1000.0
    for fold in window.query_selector_all("main > section > details"):
        fold.evaluate("node => { node.open = true; }")
    try:
        yield found
    finally:
        window.close()


def _wait(window: Any, states: tuple[str, ...]) -> None:
    """Wait until a page says that it is so far."""
    begin = time.monotonic()
    while window.evaluate("document.documentElement.dataset.drawn") not in states:
        assert time.monotonic() - begin < _PATIENCE, "the charts were not drawn in time"
        time.sleep(0.02)


def _processor_seconds(clock: Any) -> float:
    """Return what the pages' processes took: what else the machine does is not their fault."""
    running = clock.send("SystemInfo.getProcessInfo")["processInfo"]
    return float(sum(process["cpuTime"] for process in running if process["type"] == "renderer"))
