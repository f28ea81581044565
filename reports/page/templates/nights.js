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
  const text = (value) => (value === null || value === undefined ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value));
  const show = () => {
    const [a, b] = [first, second].map((select) => nights[Number(select.value)].values);
    const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => text(a[key]) !== text(b[key]));
    body.replaceChildren(
      ...names.map((key) => {
        const line = document.createElement("tr");
        [key, text(a[key]), text(b[key])].forEach((value, i) => {
          const cell = document.createElement(i ? "td" : "th");
          cell.textContent = value;
          line.append(cell);
        });
        return line;
      })
    );
  };
  first.addEventListener("change", show);
  second.addEventListener("change", show);
  show();
})();
