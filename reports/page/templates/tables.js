"use strict";
// Sorting, filtering and downloads for every table. Cells are text, and are only ever set as text.
(() => {
  const STEP = 200;
  const LENGTHY = 44; // as in html.py
  const save = (name, address) => {
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
  };
  // a cell that a spreadsheet would take for a formula is set in quotes behind an apostrophe
  const quoted = (value) => {
    const text = value === null || value === undefined ? "" : String(value).replace(/^−(?=[\d.])/, "-");
    const safe = /^[=@\t\r]|^[+-](?![\d.])/.test(text) ? "'" + text : text;
    return /[",\n]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
  };
  const saveCsv = (name, rows) => {
    const text = rows.map((row) => row.map(quoted).join(",")).join("\r\n") + "\r\n";
    const address = URL.createObjectURL(new Blob(["\ufeff" + text], { type: "text/csv" }));
    save(name + ".csv", address);
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  };
  window.gexlab = { save, saveCsv };

  const UNIT = { k: 1e3, mm: 1e6, bn: 1e9, tn: 1e12 };
  const NUMBER = /^[^\d+\-.]{0,4}([+-]?)[^\d+\-.]{0,4}([\d,]*\.?\d+)\s*(k|mm|bn|tn)?(?![\w-])/;
  // the number that a cell shows, with its unit; undefined for a dash or words
  const numberOf = (text) => {
    const found = NUMBER.exec(text.replace("−", "-").replace(/^\[/, ""));
    if (!found) return undefined;
    return Number(found[1] + found[2].replaceAll(",", "")) * (UNIT[found[3]] || 1);
  };
  const BOUND = /^(<=|>=|<|>|=)\s*(-?[\d.,]+)\s*(k|mm|bn|tn)?$/;
  const passes = (cells, rule) => {
    const bound = BOUND.exec(rule.replace("−", "-"));
    if (!bound) return cells.some((cell) => cell.toLowerCase().includes(rule.toLowerCase()));
    const limit = Number(bound[2].replaceAll(",", "")) * (UNIT[bound[3]] || 1);
    return cells.some((cell) => {
      const value = numberOf(cell);
      if (value === undefined) return false;
      return { "<": value < limit, ">": value > limit, "<=": value <= limit, ">=": value >= limit, "=": value === limit }[bound[1]];
    });
  };

  for (const figure of document.querySelectorAll("figure.table[id]")) {
    const table = figure.querySelector("table");
    const [head, body] = [table.tHead.rows[0], table.tBodies[0]];
    const names = [...head.cells].map((cell) => cell.textContent.trim());
    const numeric = [...head.cells].map((cell) => cell.classList.contains("number"));
    const lines = [...body.rows].filter((row) => !row.querySelector("td.none"));
    const all = lines.map((row, i) => ({ i, cells: [...row.cells].map((c) => c.textContent), tone: row.className, node: row }));
    const rest = figure.querySelector("script[data-rows]");
    if (rest) {
      for (const [tone, ...cells] of JSON.parse(rest.textContent)) all.push({ i: all.length, cells, tone });
    }
    if (!all.length) continue;
    const firstIsHead = lines[0].cells[0].tagName === "TH";
    let shown = lines.length;
    let order = null;
    let rule = "";

    const lineOf = ({ cells, tone, node }) => {
      if (node) return node;
      const line = document.createElement("tr");
      if (tone) line.className = tone;
      cells.forEach((text, i) => {
        const cell = document.createElement(i === 0 && firstIsHead ? "th" : "td");
        if (i === 0 && firstIsHead) cell.scope = "row";
        if (numeric[i]) cell.className = "number";
        else if (text.length > LENGTHY) cell.className = "lengthy";
        cell.textContent = text;
        line.append(cell);
      });
      return line;
    };
    const kept = () => {
      const found = rule ? all.filter((row) => passes(row.cells, rule)) : [...all];
      if (!order) return found;
      const { column, down } = order;
      const key = ({ cells }) => (numeric[column] ? numberOf(cells[column]) : cells[column]);
      return found.sort((a, b) => {
        const [x, y] = [key(a), key(b)];
        if (x === undefined || y === undefined) return x === y ? a.i - b.i : x === undefined ? 1 : -1;
        const sign = numeric[column] ? x - y : x.localeCompare(y, "en", { numeric: true });
        return (down ? -sign : sign) || a.i - b.i;
      });
    };
    const tools = document.createElement("div");
    tools.className = "tools";
    const said = document.createElement("span");
    said.setAttribute("role", "status");
    const button = (text, label, act) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = text;
      made.setAttribute("aria-label", label);
      made.addEventListener("click", act);
      tools.append(made);
      return made;
    };
    const title = figure.querySelector("figcaption").textContent.trim();
    const more = button("Show more", `Show more rows of: ${title}`, () => {
      shown += STEP;
      draw();
    });
    const draw = () => {
      const found = kept();
      body.replaceChildren(...found.slice(0, shown).map(lineOf));
      more.hidden = found.length <= shown;
      const part = Math.min(shown, found.length);
      said.textContent = found.length === all.length && part === all.length ? "" :
        `${part.toLocaleString("en")} of ${found.length.toLocaleString("en")} rows shown` +
        (found.length < all.length ? `, ${(all.length - found.length).toLocaleString("en")} filtered out` : "");
      [...head.cells].forEach((cell, i) => {
        cell.setAttribute("aria-sort", !order || order.column !== i ? "none" : order.down ? "descending" : "ascending");
      });
    };
    if (all.length > 1) {
      [...head.cells].forEach((cell, i) => {
        const sort = document.createElement("button");
        sort.type = "button";
        sort.append(...cell.childNodes);
        sort.addEventListener("click", () => {
          order = { column: i, down: order && order.column === i ? !order.down : numeric[i] };
          draw();
        });
        cell.append(sort);
        cell.setAttribute("aria-sort", "none");
      });
    }
    if (all.length > 8) {
      const box = document.createElement("input");
      box.type = "search";
      box.placeholder = "filter: a word, or > 0.5";
      box.setAttribute("aria-label", `Filter the rows of: ${title}`);
      box.addEventListener("input", () => {
        rule = box.value.trim();
        draw();
      });
      tools.prepend(box);
    }
    button("CSV", `Download as CSV: ${title}`, () => saveCsv(figure.id.replace(/^tab-/, ""), [names, ...kept().map((row) => row.cells)]));
    tools.append(said);
    figure.querySelector(".scroll").before(tools);
    more.hidden = all.length <= shown;
    if (all.length > shown) said.textContent = `${shown.toLocaleString("en")} of ${all.length.toLocaleString("en")} rows shown`;
  }
})();
