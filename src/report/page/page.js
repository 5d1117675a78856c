"use strict";
// Sorts, filters and pages the lists. Their rows are in the page: of many, those that are not shown are taken out
// of it and kept, so that the browser has few to lay out.
(() => {
  const ROWS_SHOWN = 100;
  const number = new Intl.NumberFormat("en");

  const element = (name, text) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const button = (text, act) => {
    const made = element("button", text);
    made.type = "button";
    made.addEventListener("click", act);
    return made;
  };
  const labelled = (text, control) => {
    const label = element("label", text + " ");
    label.append(control);
    return label;
  };

  // What a cell of a column of numbers is sorted by: unproven before only tried before nothing.
  const MARKS = new Map([["?", 0.2], ["×", 0.1], ["", 0]]);
  const amount = (text) => MARKS.get(text) ?? Number(text.replaceAll(",", ""));

  function list(box) {
    const tables = [...box.querySelectorAll("table")];
    const table = tables[0];
    const rows = tables.flatMap((one) => [...one.tBodies[0].rows]);
    for (const other of tables.slice(1)) other.closest(".chunk").remove();
    const body = table.tBodies[0];
    box.querySelector(".part")?.remove();

    const heads = [...table.tHead.rows[0].cells];
    const keys = new Map();
    let texts;
    let order = rows.map((_, at) => at);
    let shown = order;
    let page = 0;

    const keysOf = (column) => {
      if (!keys.has(column)) {
        const counts = "n" in heads[column].dataset;
        keys.set(column, rows.map((row) => {
          const text = row.cells[column].textContent;
          return counts ? amount(text) : text.toLowerCase();
        }));
      }
      return keys.get(column);
    };

    const tools = element("div");
    tools.className = "tools";
    const filter = element("input");
    filter.type = "search";
    filter.autocomplete = "off";
    tools.append(labelled("Filter", filter));
    let verdict;
    if (heads[1].classList.contains("v")) {
      verdict = element("select");
      verdict.append(new Option("all", ""));
      for (const [text, value] of [["warning", "vw"], ["cannot tell", "vi"], ["no impact", "vo"], ["excluded", "vx"]]) {
        verdict.append(new Option(text, value));
      }
      tools.append(labelled("Verdict", verdict));
    }
    const status = element("output");
    const back = button("Previous", () => show(page - 1));
    const on = button("Next", () => show(page + 1));
    back.setAttribute("aria-label", "Previous rows");
    on.setAttribute("aria-label", "Next rows");
    const paged = rows.length > ROWS_SHOWN;
    if (paged) tools.append(back, on);
    tools.append(status);
    box.before(tools);

    function show(wanted) {
      page = wanted;
      const first = page * ROWS_SHOWN;
      const part = shown.slice(first, first + ROWS_SHOWN);
      body.replaceChildren(...part.map((at) => rows[at]));
      back.disabled = page === 0;
      on.disabled = first + ROWS_SHOWN >= shown.length;
      const range = part.length === 0 ? "none" : `${number.format(first + 1)} to ${number.format(first + part.length)}`;
      const whole = `${number.format(shown.length)} ${shown.length === 1 ? "row" : "rows"}`;
      const left = shown.length < rows.length ? ` (${number.format(rows.length)} without the filter)` : "";
      status.textContent = shown.length > ROWS_SHOWN ? `${range} of ${whole}${left}` : `${whole}${left}`;
    }

    function sift() {
      const wanted = filter.value.trim().toLowerCase();
      texts ??= rows.map((row) => row.textContent.toLowerCase());
      const kind = verdict?.value;
      shown = order.filter((at) =>
        (!wanted || texts[at].includes(wanted)) && (!kind || rows[at].cells[1].className === kind));
      show(0);
    }
    filter.addEventListener("input", sift);
    verdict?.addEventListener("change", sift);

    heads.forEach((head, column) => {
      const sort = button(undefined, () => {
        const counts = "n" in head.dataset;
        // Numbers begin with the largest, text with A.
        const turned = head.getAttribute("aria-sort") === (counts ? "descending" : "ascending");
        const descending = counts !== turned;
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", descending ? "descending" : "ascending");
        const by = keysOf(column);
        const sign = descending ? -1 : 1;
        order = rows.map((_, at) => at);
        order.sort((a, b) => (by[a] < by[b] ? -sign : by[a] > by[b] ? sign : a - b));
        sift();
      });
      sort.append(...head.childNodes);
      head.append(sort);
    });

    show(0);
  }

  for (const box of document.querySelectorAll(".list")) {
    if (box.querySelector("table")) list(box);
  }
})();
