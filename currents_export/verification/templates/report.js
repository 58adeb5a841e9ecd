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
  const rows = [...document.querySelectorAll("table.findings tbody tr")].map((row) => ({
    row,
    kind: row.dataset.kind,
    type: row.dataset.type,
    wrong: row.classList.contains("bad"),
    text: row.textContent.toLowerCase(),
  }));
  const filter = () => {
    const { kind, type, text, wrong } = form.elements;
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const each of rows) {
      const fits =
        (!kind.value || each.kind === kind.value) &&
        (!type.value || each.type === type.value) &&
        (!wrong.checked || each.wrong) &&
        words.every((word) => each.text.includes(word));
      each.row.hidden = !fits;
      count += fits;
    }
    shown.textContent =
      count === rows.length ? `${count} ${count === 1 ? "row" : "rows"}` : `${count} of ${rows.length} rows`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
})();
