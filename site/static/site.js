// A formula that is wider than its box can be scrolled with a finger; let the keyboard reach it too.
(() => {
  "use strict";
  const update = () => {
    for (const box of document.querySelectorAll("div.math")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  addEventListener("load", update);
  addEventListener("resize", update);
})();

// The scorecard: a click on a head sorts by its column, another one the other way round.
(() => {
  "use strict";
  const sort = (table, index, up) => {
    const key = (row) => row.cells[index].dataset.sort;
    const compare = (a, b) => key(a).localeCompare(key(b), undefined, { numeric: true });
    const rows = [...table.tBodies[0].rows].sort((a, b) => (up ? compare(a, b) : compare(b, a)));
    table.tBodies[0].append(...rows);
  };
  for (const table of document.querySelectorAll("table.scorecard")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const up = head.ariaSort !== "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        sort(table, index, up);
      });
    });
  }
})();
