// Filters for the tables of the claim ledger. Without this script they are plain tables, all rows shown.
(function () {
  "use strict";

  const element = window.histolabElement; // elements.js

  function setUp(box) {
    const heads = [...box.querySelectorAll("thead th")];
    const columns = heads.flatMap((head, at) => ("choose" in head.dataset ? [at] : []));
    if (!columns.length) return;
    const id = box.id + "-";
    const rows = [...box.querySelectorAll("tbody tr")].map((row) => ({
      row,
      cells: [...row.cells].map((cell) => (cell.firstChild ? cell.firstChild.textContent.trim() : "")), // their first line
      text: (row.id + " " + row.textContent).toLowerCase(),
    }));

    const form = element("form", { class: "ledger-filters", role: "search", "aria-label": "Filter: " + box.getAttribute("aria-label") });
    const field = (label, control) => {
      const made = element("label", { text: label + " ", for: control.id }, form);
      made.appendChild(control);
      return control;
    };
    const words = field("words", element("input", { type: "search", id: id + "words", autocomplete: "off" }));
    const choices = columns.map((at) => {
      const name = heads[at].textContent, select = element("select", { id: id + name });
      element("option", { value: "", text: "all" }, select);
      for (const value of new Set(rows.map((one) => one.cells[at]))) element("option", { value, text: value }, select);
      return { at, name, select: field(name, select) };
    });
    element("button", { type: "reset", text: "show all", class: "ledger-reset" }, form);
    const count = element("p", { class: "ledger-count", role: "status" }, form);
    box.before(form);

    function show() {
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      const chosen = choices.filter((one) => one.select.value);
      let shown = 0;
      for (const { row, cells, text } of rows) {
        const fits = chosen.every((one) => cells[one.at] === one.select.value) && wanted.every((word) => text.includes(word));
        row.hidden = !fits;
        shown += fits;
      }
      count.textContent = shown + " of " + rows.length + " rows";
    }

    // a link to a row that the filters hide shows all rows again
    function follow() {
      const aim = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (!aim || !box.contains(aim)) return;
      if (aim.hidden) { form.reset(); show(); }
      aim.scrollIntoView({ block: "center" });
    }

    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", show);
    form.addEventListener("reset", () => setTimeout(show));
    window.addEventListener("hashchange", follow);

    // claim_ledger.html?severity=impossible opens filtered
    const asked = new URLSearchParams(location.search);
    words.value = asked.get("words") || "";
    for (const one of choices) {
      const value = asked.get(one.name);
      if ([...one.select.options].some((option) => option.value === value)) one.select.value = value;
    }
    show();
    follow();
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".ledger").forEach(setUp));
})();
