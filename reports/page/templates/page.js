"use strict";
// Draws every figure in the colours of the page's current theme, and again when that changes.
(() => {
  const root = document.documentElement;
  const config = { displayModeBar: false, responsive: true, showTips: false };
  const coarse = window.matchMedia("(pointer: coarse)").matches;

  const themed = (value, colours) => {
    if (typeof value === "string") {
      return value.startsWith("css:")
        ? colours.getPropertyValue("--" + value.slice(4)).trim()
        : value;
    }
    if (Array.isArray(value)) return value.map((item) => themed(item, colours));
    if (value !== null && typeof value === "object") {
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, themed(item, colours)])
      );
    }
    return value;
  };

  const specs = [...document.querySelectorAll("script[data-figure]")].map((node) => [
    document.getElementById(node.dataset.figure),
    JSON.parse(node.textContent),
  ]);

  const draw = (width) => {
    const colours = getComputedStyle(root);
    for (const [target, spec] of specs) {
      const { data, layout } = themed(spec, colours);
      // on a touch screen a drag must scroll the page, not zoom the chart
      if (coarse) layout.dragmode = false;
      if (width) layout.width = Math.min(width, target.clientWidth || width);
      Plotly.react(target, data, layout, config);
    }
  };

  draw();
  // a figure inside a folded section has no size until it is opened
  for (const fold of document.querySelectorAll("details")) {
    fold.addEventListener("toggle", () => draw());
  }
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());
  window.addEventListener("beforeprint", () => {
    root.dataset.print = "";
    for (const fold of document.querySelectorAll("details")) fold.open = true;
    draw(680);
  });
  window.addEventListener("afterprint", () => {
    delete root.dataset.print;
    draw();
  });
})();
