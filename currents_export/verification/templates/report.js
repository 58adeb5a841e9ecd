"use strict";
(() => {
  // A printed page shows everything that can be opened.
  let closed = [];
  let isPrinting = false;
  let filter = () => {};
  addEventListener("beforeprint", () => {
    isPrinting = true;
    filter();
    closed = [...document.querySelectorAll("details:not([open]):not(.numbers)")];
    for (const each of closed) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of closed) each.open = false;
    isPrinting = false;
    filter();
  });

  const form = document.getElementById("filter");
  if (!form) return;
  // A group with many event types shows the first ones until the reader wants all of them.
  const FEW = 8;
  const shown = document.getElementById("shown");
  const moreOf = (found) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `Show all ${found.rows.length} event types`;
    button.addEventListener("click", () => {
      found.isWhole = true;
      filter();
      const first = found.rows[FEW].row;
      first.tabIndex = -1;  // the button that had the focus is gone
      first.focus();
    });
    const row = found.group.insertRow();
    row.className = "more";
    const cell = row.insertCell();
    cell.colSpan = 3;
    cell.append(button);
    return row;
  };
  const groups = [...document.querySelectorAll("table.findings tbody")].map((group) => {
    const about = group.querySelector(".group").textContent;
    const rows = [...group.querySelectorAll("tr:not(.group)")].map((row) => ({
      row,
      type: row.dataset.type,
      text: (about + " " + row.textContent).toLowerCase(),
    }));
    const found = { group, rows, kind: group.dataset.kind, wrong: group.classList.contains("bad") };
    if (rows.length > FEW + 2) found.more = moreOf(found);
    return found;
  });
  const total = groups.reduce((sum, each) => sum + each.rows.length, 0);
  filter = () => {
    const { kind, type, text, wrong } = form.elements;
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const isNarrow = Boolean(kind.value || type.value || words.length);
    let count = 0;
    for (const each of groups) {
      const fits = (!kind.value || each.kind === kind.value) && (!wrong.checked || each.wrong);
      const isCut = each.more && !each.isWhole && !isNarrow && !isPrinting;
      let some = false;
      for (const [number, { row, ...its }] of each.rows.entries()) {
        const isShown =
          fits &&
          (!type.value || its.type === type.value) &&
          words.every((word) => its.text.includes(word));
        row.hidden = !isShown || (isCut && number >= FEW);
        some ||= isShown;
        count += isShown;
      }
      if (each.more) each.more.hidden = !isCut;
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
