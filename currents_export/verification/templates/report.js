"use strict";
(() => {
  // A printed page shows everything that can be opened.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open]):not(.numbers)")];
    for (const each of closed) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of closed) each.open = false;
  });

  const form = document.getElementById("filter");
  if (!form) return;
  const shown = document.getElementById("shown");
  const groups = [...document.querySelectorAll("table.findings tbody")].map((group) => {
    const about = group.querySelector(".group").textContent;
    const rows = [...group.querySelectorAll("tr:not(.group)")].map((row) => ({
      row,
      type: row.dataset.type,
      text: (about + " " + row.textContent).toLowerCase(),
    }));
    return { group, rows, kind: group.dataset.kind, wrong: group.classList.contains("bad") };
  });
  const total = groups.reduce((sum, each) => sum + each.rows.length, 0);
  const filter = () => {
    const { kind, type, text, wrong } = form.elements;
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const each of groups) {
      const fits = (!kind.value || each.kind === kind.value) && (!wrong.checked || each.wrong);
      let some = false;
      for (const { row, ...its } of each.rows) {
        const isShown =
          fits &&
          (!type.value || its.type === type.value) &&
          words.every((word) => its.text.includes(word));
        row.hidden = !isShown;
        some ||= isShown;
        count += isShown;
      }
      each.group.hidden = !some;
    }
    const rows = total === 1 ? "row" : "rows";
    shown.textContent = count === total ? `${total} ${rows}` : `${count} of ${total} ${rows}`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
})();
