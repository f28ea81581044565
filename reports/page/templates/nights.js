"use strict";
// Sets two nights side by side. Whatever a name holds, it is only ever text.
(() => {
  const nights = JSON.parse(document.getElementById("data").textContent);
  const [first, second] = ["first", "second"].map((id) => document.getElementById(id));
  if (!first) return;
  nights.forEach(({ name }, i) => {
    for (const [select, chosen] of [[first, 1], [second, 0]]) {
      const option = document.createElement("option");
      option.textContent = name;
      option.value = String(i);
      option.selected = i === chosen;
      select.append(option);
    }
  });
  const body = document.getElementById("differs");
  // what a desk asks first, in its words; everything else follows under the name that files have
  const NAMES = {
    session: "Session", regime: "Regime", quality: "Quality gate", spot: "Spot", flip: "Flip",
    flip_distance: "Spot above flip, ln(spot / flip)", put_wall: "Put wall", call_wall: "Call wall",
    value: "Net GEX, per +1 %", net_to_gross: "Net / gross", alerts: "Must be read first",
    "change.since": "Previous session", "change.by": "Net GEX since the previous session",
    "change.mostly": "Mostly by", "change.part": "That part",
  };
  const rank = (key) => (key in NAMES ? Object.keys(NAMES).indexOf(key) : 999);
  const number = (value) =>
    Number(value.toPrecision(7)).toLocaleString("en-US", { maximumFractionDigits: 6 }).replace("-", "\u2212");
  const text = (value) => {
    if (value === null || value === undefined || value === "") return "\u2013";
    if (typeof value === "number") return number(value);
    if (Array.isArray(value)) return value.map(text).join(" ") || "\u2013";
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  };
  const raw = (value) => JSON.stringify(value === undefined ? null : value);
  const show = () => {
    const [a, b] = [first, second].map((select) => nights[Number(select.value)].values);
    const names = [...new Set([...Object.keys(a), ...Object.keys(b)])]
      .filter((key) => raw(a[key]) !== raw(b[key]))
      .sort((one, other) => rank(one) - rank(other) || (one < other ? -1 : 1));
    body.replaceChildren(
      ...names.map((key) => {
        const line = document.createElement("tr");
        const both = typeof a[key] === "number" && typeof b[key] === "number";
        const cells = [NAMES[key] || key, text(a[key]), text(b[key]), both ? number(b[key] - a[key]) : ""];
        cells.forEach((value, i) => {
          const cell = document.createElement(i ? "td" : "th");
          cell.textContent = value;
          if (!i) cell.scope = "row";
          if (i && both) cell.className = "number";
          else if (value.length > 44) cell.className = "lengthy";
          line.append(cell);
        });
        return line;
      })
    );
    if (names.length) return;
    const cell = body.insertRow().insertCell();
    cell.colSpan = 4;
    cell.className = "none";
    cell.textContent = "nothing differs";
  };
  first.addEventListener("change", show);
  second.addEventListener("change", show);
  show();
})();
