"use strict";
// Every chart stands in the page as a still picture. This script unpacks columns and library once
// those are seen, draws every chart anew, in the colours of the page's theme and with values under
// the pointer, and puts a table and downloads behind each. Whatever a name holds, it is only text.
(() => {
  const root = document.documentElement;
  const config = { displayModeBar: false, responsive: true, showTips: false };
  const coarse = window.matchMedia("(pointer: coarse)").matches;

  // a loop: Uint8Array.from with a function takes ten times as long
  const bytesOf = (text) => {
    const raw = atob(text);
    const bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
    return bytes;
  };
  // five signs are a number of four bytes: see in_base_85 in packed.py
  const bytesOfFives = (text) => {
    const groups = Math.ceil(text.length / 5);
    const bytes = new Uint8Array(4 * groups);
    for (let group = 0; group < groups; group += 1) {
      let number = 0;
      for (let i = 5 * group; i < 5 * group + 5; i += 1) {
        const sign = i < text.length ? text.charCodeAt(i) : 117;
        number = 85 * number + (sign === 123 ? 27 : sign === 124 ? 5 : sign - 33);
      }
      for (let i = 0; i < 4; i += 1) bytes[4 * group + i] = number >>> (24 - 8 * i);
    }
    return bytes.subarray(0, bytes.length - (5 * groups - text.length));
  };
  const unpacked = async (text) => {
    const stream = new Blob([bytesOfFives(text)]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };

  // columns: see packed.py
  const numbers = (bytes, width) => {
    const view = new DataView(bytes.buffer);
    return Array.from({ length: bytes.length / width }, (_, i) => {
      const value = width === 4 ? view.getFloat32(4 * i, true) : view.getFloat64(8 * i, true);
      if (Number.isNaN(value)) return null;
      return width === 4 ? Number(value.toPrecision(6)) : value;
    });
  };
  const days = (packed) => {
    let at = Date.parse(packed.first + "T00:00Z");
    const steps = [...bytesOf(packed.days)].map((step) => {
      at += step * 864e5;
      return new Date(at).toISOString().slice(0, 10);
    });
    return [packed.first, ...steps];
  };
  const column = (packed) => {
    if ("days" in packed) return days(packed);
    if ("words" in packed) return [...bytesOf(packed.at)].map((i) => packed.words[i]);
    return "f4" in packed ? numbers(bytesOf(packed.f4), 4) : numbers(bytesOf(packed.f8), 8);
  };
  const held = document.getElementById("columns");
  const columns = held ? JSON.parse(held.textContent).map(column) : [];
  const putBack = (value) => {
    if (Array.isArray(value)) return value.map(putBack);
    if (value === null || typeof value !== "object") return value;
    if ("#" in value) return columns[value["#"]];
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, putBack(item)]));
  };

  // labels are entities to Plotly: see as_label in charts.py
  const plain = (text) => {
    const box = document.createElement("textarea");
    box.innerHTML = text;
    return box.value;
  };
  const asLabel = (text) => {
    const box = document.createElement("div");
    box.textContent = text;
    return box.innerHTML.replaceAll("%{", "%&#123;").replaceAll("css:", "css&#58;");
  };

  const themed = (value, colours) => {
    if (typeof value === "string") {
      return value.startsWith("css:")
        ? colours.getPropertyValue("--" + value.slice(4)).trim()
        : value;
    }
    if (Array.isArray(value)) {
      // long columns hold numbers and sessions, never colours
      return value.length > 40 ? value : value.map((item) => themed(item, colours));
    }
    if (value !== null && typeof value === "object") {
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, themed(item, colours)])
      );
    }
    return value;
  };

  const charts = [...document.querySelectorAll("script[data-figure]")].map((node) => ({
    target: document.getElementById(node.dataset.figure),
    spec: putBack(JSON.parse(node.textContent)),
    drawn: false,
  }));

  // a legend has no room for a long name: its table and the page have the whole of it
  const BRIEF = 44;
  const briefly = (name) => {
    const whole = plain(name);
    if (whole.length <= BRIEF) return name;
    const signs = [...whole];
    return asLabel(`${signs.slice(0, BRIEF - 12).join("")}…${signs.slice(-11).join("")}`);
  };
  // a narrow screen has no room for long labels side by side, nor for a scale beside a map
  const narrow = (data, layout) => {
    layout.font.size = 11;
    for (const trace of data.filter((t) => t.colorbar)) {
      trace.colorbar = { ...trace.colorbar, orientation: "h", y: 1, yanchor: "bottom", x: 0.5, thickness: 8 };
      trace.colorbar.title = { ...trace.colorbar.title, side: "top" };
      layout.margin.t = 70;
    }
    if (layout.xaxis && layout.xaxis.tickangle === -45) {
      layout.xaxis.tickangle = -90;
      layout.xaxis.tickfont = { size: 9 };
    }
  };

  const PRINTED = 330; // as in page.css: the first screen on one sheet
  const draw = (chart, width) => {
    const { data, layout } = themed(chart.spec, getComputedStyle(root));
    // on a touch screen a drag must scroll the page, not zoom the chart
    if (coarse) layout.dragmode = false;
    for (const trace of data) {
      if (trace.name) trace.name = briefly(trace.name);
    }
    if (chart.target.clientWidth < 520) narrow(data, layout);
    if (width) {
      layout.width = Math.min(width, chart.target.clientWidth || width);
      if (chart.target.closest(".screen")) layout.height = PRINTED;
    }
    chart.drawn = true;
    const done = Plotly.react(chart.target, data, layout, config);
    const still = chart.target.querySelector(":scope > .still");
    if (still) still.remove(); // in the same task: nobody sees both, or neither
    return done;
  };
  const drawAll = (width) => {
    if (window.Plotly) charts.forEach((chart) => draw(chart, width));
  };

  // the first screen first; every other chart when the browser has time, so that nothing waits
  const later = window.requestIdleCallback || ((work) => setTimeout(work, 0));
  const drawRest = () => {
    const next = charts.find((chart) => !chart.drawn);
    if (!next) {
      root.dataset.drawn = "all";
      performance.mark("all drawn");
      return;
    }
    draw(next);
    later(drawRest, { timeout: 500 });
  };
  let alive;
  const libraryIsHere = new Promise((done) => { alive = done; });
  const start = () => {
    alive();
    charts.filter((chart) => chart.target.closest(".screen")).forEach((chart) => draw(chart));
    performance.mark("first screen alive");
    later(drawRest, { timeout: 500 });
  };
  // a chart inside a folded section has no size until it is opened
  for (const fold of document.querySelectorAll("main > section > details")) {
    fold.addEventListener("toggle", () => {
      if (window.Plotly) charts.filter((chart) => fold.contains(chart.target)).forEach((chart) => draw(chart));
    });
  }
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll());
  window.addEventListener("beforeprint", () => {
    root.dataset.print = "";
    for (const fold of document.querySelectorAll("main > section > details")) fold.open = true;
    drawAll(680);
  });
  window.addEventListener("afterprint", () => {
    delete root.dataset.print;
    drawAll();
  });

  // the table behind a chart: one column of places, one of each line; of a map, one of each column
  const titleOf = (axis) => plain((axis && axis.title && axis.title.text) || "");
  const tableOfMap = ({ x, y, z, colorbar }, layout) => ({
    names: [`${titleOf(layout.yaxis) || "at"} (${plain(colorbar.title.text)})`, ...x.map((at) => plain(String(at)))],
    rows: y.map((at, i) => [typeof at === "string" ? plain(at) : at, ...z[i]]).reverse(),
  });
  const tableOf = ({ data, layout }) => {
    if (data.length === 1 && data[0].type === "heatmap") return tableOfMap(data[0], layout);
    const seen = data.filter((t) => t.x && t.y && t.type !== "heatmap" && t.hoverinfo !== "skip");
    const across = seen.length > 0 && seen.every((t) => t.x.every((v) => v === null || typeof v === "number")) &&
      seen.some((t) => t.y.some((v) => typeof v === "string"));
    const place = across ? "y" : "x";
    const value = across ? "x" : "y";
    const rows = new Map();
    const names = [titleOf(layout[place + "axis"]) || "at"];
    for (const trace of seen) {
      const unit = titleOf(layout[(trace[value + "axis"] || value).replace(/^(.)/, "$1axis")]);
      names.push(plain(trace.name || "value") + (unit ? ` (${unit})` : ""));
      const words = Array.isArray(trace.text) && trace.text.length === trace.x.length && typeof trace.text[0] === "string";
      if (words) names.push(plain(trace.name || "value") + ", in words");
      trace[place].forEach((at, i) => {
        if (!rows.has(at)) rows.set(at, []);
        const row = rows.get(at);
        row[names.length - (words ? 2 : 1)] = trace[value][i];
        if (words) row[names.length - 1] = plain(trace.text[i]);
      });
    }
    return {
      names,
      rows: [...rows].map(([at, row]) => names.map((_, i) => (i === 0 ? (typeof at === "string" ? plain(at) : at) : row[i] ?? null))),
    };
  };

  // a chart as a picture, on paper instead of on nothing
  const picture = (target, width) => {
    const paper = getComputedStyle(root).getPropertyValue("--paper").trim();
    const layout = { ...target.layout, paper_bgcolor: paper, plot_bgcolor: paper };
    const height = target.clientHeight || 400;
    return Plotly.toImage({ data: target.data, layout }, { format: "png", width, height, scale: 2 });
  };
  window.gexlab.picture = picture;

  for (const chart of charts) {
    const figure = chart.target.closest("figure");
    const fold = figure.querySelector("details.behind");
    if (!fold) continue;
    const box = fold.querySelector("div");
    fold.addEventListener("toggle", () => {
      if (!fold.open || box.childElementCount) return;
      const { names, rows } = tableOf(chart.spec);
      const table = document.createElement("table");
      const head = table.createTHead().insertRow();
      for (const name of names) {
        const cell = document.createElement("th");
        cell.scope = "col";
        cell.textContent = name;
        head.append(cell);
      }
      const body = table.createTBody();
      for (const row of rows) {
        const line = body.insertRow();
        for (const value of row) {
          const cell = line.insertCell();
          cell.textContent = value === null ? "–" : String(value).replace(/^-/, "−");
          if (typeof value === "number") cell.className = "number";
        }
      }
      box.append(table);
    });
    const name = chart.target.id.replace(/^fig-/, "");
    for (const button of figure.querySelectorAll("button[data-save]")) {
      button.addEventListener("click", () => {
        if (button.dataset.save === "csv") {
          const { names, rows } = tableOf(chart.spec);
          window.gexlab.saveCsv(name, [names, ...rows]);
        } else {
          libraryIsHere
            .then(() => chart.drawn || draw(chart))
            .then(() => picture(chart.target, chart.target.clientWidth))
            .then((address) => window.gexlab.save(name + ".png", address));
        }
      });
    }
  }

  const library = document.getElementById("plotly");
  const unpack = () =>
    unpacked(library.textContent).then(
      (source) =>
        later(() => {
          const script = document.createElement("script");
          script.textContent = source;
          document.head.append(script);
          start();
        }, { timeout: 500 }),
      () => {
        for (const { target } of charts) {
          const said = document.createElement("p");
          said.className = "note";
          said.textContent = "This browser cannot unpack the library of the charts: their pictures stay as they are.";
          target.after(said);
        }
      }
    );
  // compiling the library holds the page up for a second or so: only once the pictures are seen
  const seen = () => {
    if (root.dataset.drawn) return;
    root.dataset.drawn = "first";
    performance.mark("first screen drawn");
    if (library && library.textContent) unpack();
  };
  requestAnimationFrame(() => setTimeout(seen, 0));
  setTimeout(seen, 1000); // in a window that nobody looks at nothing is painted
})();
