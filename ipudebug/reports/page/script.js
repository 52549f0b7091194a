"use strict";
// Sorts and filters the table. The page is complete without it, so what belongs to it is made, or shown, here.
(() => {
  const table = document.getElementById("layers");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const filter = document.querySelector(".filter");
  const search = document.getElementById("search");
  const boxes = [...filter.querySelectorAll("input[type=checkbox]")];
  const count = document.getElementById("count");
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));

  function applyFilter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let shown = 0;
    for (const row of rows) {
      const isShown = wanted.has(row.dataset.status) && words.every((word) => texts.get(row).includes(word));
      row.hidden = !isShown;
      shown += isShown;
    }
    count.textContent = `${shown} of ${rows.length} layers`;
  }

  function keyOf(row, column, kind) {
    const cell = row.cells[column];
    if (kind === "text") return cell.textContent;
    return cell.dataset.value === "" ? NaN : Number(cell.dataset.value);
  }

  function compareKeys(a, b) {
    if (typeof a === "string") return a.localeCompare(b, undefined, { numeric: true });
    return a < b ? -1 : a > b ? 1 : 0;
  }

  // What has no value stays at the end, whichever way the others go.
  function sortBy(heading, column) {
    const isRising = heading.getAttribute("aria-sort") !== "ascending";
    const kind = heading.dataset.kind;
    const keyed = rows.map((row) => [keyOf(row, column, kind), row]);
    keyed.sort(([a], [b]) => {
      if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
      return isRising ? compareKeys(a, b) : compareKeys(b, a);
    });
    body.append(...keyed.map(([, row]) => row));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", isRising ? "ascending" : "descending");
  }

  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    button.addEventListener("click", () => sortBy(heading, column));
    heading.replaceChildren(button);
  });

  // A link to a row that the filter hides shows all rows again.
  function revealTarget() {
    const row = document.getElementById(location.hash.slice(1));
    if (!row || !row.hidden) return;
    search.value = "";
    for (const box of boxes) box.checked = true;
    applyFilter();
    row.scrollIntoView({ block: "center" });
  }

  search.addEventListener("input", applyFilter);
  for (const box of boxes) box.addEventListener("change", applyFilter);
  window.addEventListener("hashchange", revealTarget);
  filter.hidden = false;
  applyFilter();
})();
