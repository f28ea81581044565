"use strict";
// Sorts, filters and maps the trials of a grid. Whatever a name holds, it is only ever text.
(() => {
  const { columns, rows } = JSON.parse(document.getElementById("data").textContent);
  const STEP = 200;
  const LENGTHY = 44; // as in html.py
  const text = (column, value) => {
    if (value === null) return "–";
    if (typeof value === "number") {
      return column.digits === null ? String(value) : value.toFixed(column.digits).replace("-", "−");
    }
    return String(value);
  };
  const make = (tag, content, parent) => {
    const node = document.createElement(tag);
    if (content !== undefined) node.textContent = content;
    if (parent) parent.append(node);
    return node;
  };

  // the table of all trials
  const filters = columns.map(() => "");
  let order = { column: columns.findIndex((c) => c.name === "sharpe"), down: true };
  let limit = STEP;
  const BOUND = /^(<=|>=|<|>|=)\s*(-?[\d.]+(?:e-?\d+)?)$/i;
  const passes = (value, rule) => {
    const bound = BOUND.exec(rule.trim().replace("−", "-"));
    if (!bound) return String(value === null ? "–" : value).toLowerCase().includes(rule.trim().toLowerCase());
    if (typeof value !== "number") return false;
    const limit = Number(bound[2]);
    return { "<": value < limit, ">": value > limit, "<=": value <= limit, ">=": value >= limit, "=": value === limit }[bound[1]];
  };
  const compare = (a, b) => {
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    const sign = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
    return order.down ? -sign : sign;
  };
  const table = document.getElementById("all");
  const head = make("tr", undefined, make("thead", undefined, table));
  const body = make("tbody", undefined, table);
  columns.forEach((column, i) => {
    const cell = make("th", undefined, head);
    cell.scope = "col";
    const button = make("button", column.title, cell);
    button.type = "button";
    button.addEventListener("click", () => {
      order = { column: i, down: order.column === i ? !order.down : !column.parameter };
      draw();
    });
    const box = make("input", undefined, cell);
    box.setAttribute("aria-label", "Filter " + column.title);
    box.addEventListener("input", () => {
      filters[i] = box.value;
      limit = STEP;
      draw();
    });
  });
  const draw = () => {
    const active = filters.map((rule, i) => [rule, i]).filter(([rule]) => rule.trim());
    const kept = rows.filter((row) => active.every(([rule, i]) => passes(row[i], rule)));
    kept.sort((a, b) => compare(a[order.column], b[order.column]));
    [...head.children].forEach((cell, i) => {
      cell.setAttribute("aria-sort", i !== order.column ? "none" : order.down ? "descending" : "ascending");
    });
    body.replaceChildren(
      ...kept.slice(0, limit).map((row) => {
        const line = make("tr");
        row.forEach((value, i) => {
          const cell = make("td", text(columns[i], value), line);
          if (typeof value === "number") cell.className = "number";
          else if (cell.textContent.length > LENGTHY) cell.className = "lengthy";
        });
        return line;
      })
    );
    const shown = Math.min(limit, kept.length);
    document.getElementById("count").textContent =
      `${shown.toLocaleString("en")} of ${kept.length.toLocaleString("en")} trials shown` +
      (kept.length < rows.length ? `; ${(rows.length - kept.length).toLocaleString("en")} filtered out` : "");
    document.getElementById("more").hidden = shown === kept.length;
  };
  document.getElementById("more").addEventListener("click", () => {
    limit += 5 * STEP;
    draw();
  });

  // the map of two parameters
  const parameters = columns.map((c, i) => [c, i]).filter(([c]) => c.parameter);
  const metrics = columns.map((c, i) => [c, i]).filter(([c]) => !c.parameter && c.name !== "trial_id");
  const controls = document.getElementById("map-controls");
  const chooser = (label, options, start) => {
    const select = make("select", undefined, make("label", label, controls));
    options.forEach(([name, value], i) => {
      const option = make("option", name, select);
      option.value = String(value);
      option.selected = i === start;
    });
    select.addEventListener("change", () => map());
    return select;
  };
  const named = (list) => list.map(([c, i]) => [c.title, i]);
  const across = chooser("across", named(parameters), 0);
  const down = chooser("down", named(parameters), Math.min(1, parameters.length - 1));
  const metric = chooser("metric", named(metrics), 0);
  const how = chooser("of the trials", [["median", "median"], ["highest", "highest"], ["lowest", "lowest"]], 0);
  const summary = (values) => {
    const sorted = [...values].sort((a, b) => a - b);
    if (how.value === "highest") return sorted[sorted.length - 1];
    if (how.value === "lowest") return sorted[0];
    const half = sorted.length >> 1;
    return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  };
  const distinct = (i) =>
    [...new Set(rows.map((row) => row[i]))].sort((a, b) =>
      typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b))
    );
  const map = () => {
    const target = document.getElementById("map");
    target.replaceChildren();
    if (!parameters.length) {
      make("caption", "No parameter varies.", target);
      return;
    }
    const [x, y, z] = [across, down, metric].map((select) => Number(select.value));
    const [xs, ys] = [distinct(x), distinct(y)];
    const cells = new Map();
    for (const row of rows) {
      if (row[z] === null) continue;
      const key = JSON.stringify([row[x], row[y]]);
      if (!cells.has(key)) cells.set(key, []);
      cells.get(key).push(row[z]);
    }
    const most = Math.max(...[...cells.values()].map((v) => Math.abs(summary(v))), 1e-12);
    const first = make("tr", undefined, make("thead", undefined, target));
    make("th", columns[y].title + " \\ " + columns[x].title, first);
    for (const value of xs) make("th", text(columns[x], value), first);
    const lines = make("tbody", undefined, target);
    for (const b of ys) {
      const line = make("tr", undefined, lines);
      make("th", text(columns[y], b), line).scope = "row";
      for (const a of xs) {
        const found = cells.get(JSON.stringify([a, b]));
        const cell = make("td", found ? text(columns[z], summary(found)) : "–", line);
        cell.className = "cell";
        if (!found) continue;
        cell.title = found.length === 1 ? "1 trial" : `${found.length} trials`;
        const value = summary(found);
        const share = Math.round((40 * Math.abs(value)) / most);
        cell.style.background = `color-mix(in srgb, var(${value < 0 ? "--bad" : "--good"}) ${share}%, transparent)`;
      }
    }
  };
  draw();
  map();
})();
