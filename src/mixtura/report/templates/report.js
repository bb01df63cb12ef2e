"use strict";
(() => {
  const root = document.documentElement;
  const tip = document.getElementById("tip");
  const said = document.getElementById("said");
  const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));

  // Theme: the system's, until somebody chooses.
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const showTheme = () => {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", isDark() ? "Switch to light colors" : "Switch to dark colors");
  };
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    showTheme();
  });
  system.addEventListener("change", showTheme);
  showTheme();
  document.getElementById("print").addEventListener("click", () => print());

  // Tables: what is searched for and the segment selected decide which rows are shown.
  const search = (id) => document.querySelector(`input[data-table="${id}"]`);
  const filter = (table) => {
    const words = (search(table.id)?.value || "").trim().toLowerCase().split(/\s+/).filter(Boolean);
    const selected = document.body.dataset.selected;
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      const text = row.textContent.toLowerCase();
      const within = selected === "0" || !row.dataset.segments || row.dataset.segments.split(" ").includes(selected);
      row.hidden = !(within && words.every((word) => text.includes(word)));
      shown += row.hidden ? 0 : 1;
    }
    const count = document.querySelector(`[data-count="${table.id}"]`);
    if (count) count.textContent = `${shown} of ${table.tBodies[0].rows.length} shown`;
  };
  const tables = all("table.sortable");
  tables.forEach(filter);
  all('input[type="search"]').forEach((input) =>
    input.addEventListener("input", () => filter(document.getElementById(input.dataset.table))));

  const key = (row, column) => {
    const cell = row.cells[column];
    const value = cell.dataset.value === undefined ? cell.textContent.trim() : cell.dataset.value;
    return value !== "" && Number.isFinite(Number(value)) ? Number(value) : value;
  };
  const compare = (a, b) => typeof a === "number" && typeof b === "number"
    ? a - b
    : String(a).localeCompare(String(b), undefined, { numeric: true });
  tables.forEach((table) => all(".sort", table.tHead).forEach((sort) => sort.addEventListener("click", () => {
    const header = sort.closest("th");
    const ascending = header.getAttribute("aria-sort") !== "ascending";
    all("th", table.tHead).forEach((other) => other.setAttribute("aria-sort", "none"));
    header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const rows = Array.from(table.tBodies[0].rows);
    rows.sort((a, b) => compare(key(a, header.cellIndex), key(b, header.cellIndex)) * (ascending ? 1 : -1));
    table.tBodies[0].append(...rows);
  })));

  // A selected segment: the style sheet pales whatever belongs to others.
  const chips = all(".chip");
  const select = (number) => {
    document.body.dataset.selected = number;
    chips.forEach((chip) => chip.setAttribute("aria-pressed", String(chip.dataset.select === number)));
    tables.forEach(filter);
    const chosen = chips.find((chip) => chip.dataset.select === number);
    said.textContent = number === "0" ? "All segments are shown." : `Highlighted: ${chosen.querySelector("bdi").textContent}.`;
  };
  const toggle = (number) => select(document.body.dataset.selected === number ? "0" : number);
  chips.forEach((chip) => chip.addEventListener("click", () =>
    chip.dataset.select === "0" ? select("0") : toggle(chip.dataset.select)));
  document.addEventListener("click", (event) => {
    const mark = event.target.closest(".chart [data-segment], .card[data-segment] > header");
    const owner = mark && mark.closest("[data-segment]");
    if (owner && !event.target.closest("button, .term") && chips.some((chip) => chip.dataset.select === owner.dataset.segment)) {
      toggle(owner.dataset.segment);
    }
  });

  // Explanations: of terms on hover and focus, of marks on hover.
  const hide = () => { tip.hidden = true; };
  const show = (text, box) => {
    tip.textContent = text;
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    const left = Math.min(Math.max(8, box.left + box.width / 2 - width / 2), root.clientWidth - width - 8);
    const below = box.bottom + 8;
    tip.style.left = `${left}px`;
    tip.style.top = `${below + height < innerHeight ? below : Math.max(8, box.top - height - 8)}px`;
  };
  const explain = (event) => {
    const term = event.target.closest?.(".term");
    const mark = event.target.closest?.("[data-tip]");
    if (term) show(document.getElementById(term.getAttribute("aria-describedby")).textContent, term.getBoundingClientRect());
    else if (mark && mark.dataset.tip) show(mark.dataset.tip, mark.getBoundingClientRect());
    else hide();
  };
  document.addEventListener("pointerover", explain);
  document.addEventListener("focusin", explain);
  document.addEventListener("click", (event) => { if (event.target.closest(".term")) explain(event); });
  document.addEventListener("focusout", hide);
  document.addEventListener("scroll", hide, { passive: true });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (tip.hidden && document.body.dataset.selected !== "0") select("0");
    hide();
  });

  // Commands to copy; where the browser forbids it, the text is selected instead.
  all(".copy").forEach((copy) => copy.addEventListener("click", async () => {
    const code = copy.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      copy.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      copy.textContent = "Selected";
    }
    setTimeout(() => { copy.textContent = "Copy"; }, 2000);
  }));

  // Paper shows what the screen keeps folded.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("details:not([open])");
    opened.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((one) => { one.open = false; }));
})();
