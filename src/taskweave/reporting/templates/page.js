"use strict";
// Tables sort by the buttons in their heads. A row of another kind that belongs to a method is in that method's tbody.
for (const table of document.querySelectorAll("table.sortable")) {
  const recipeOrder = Array.from(table.tBodies);
  const heads = Array.from(table.tHead.rows[table.tHead.rows.length - 1].cells);
  const said = document.getElementById("said");

  const valueOf = (body, column) => body.rows[0].cells[column].dataset.value ?? "";

  const sorted = (column, order, asText) => {
    const sign = order === "ascending" ? 1 : -1;
    const compared = (one, other) => {
      const a = valueOf(one, column);
      const b = valueOf(other, column);
      if (a === "" || b === "") return (a === "") - (b === ""); // without a value: last, in either order
      return sign * (asText ? a.localeCompare(b, "en", { numeric: true }) : Number(a) - Number(b));
    };
    return Array.from(recipeOrder).sort(compared);
  };

  heads.forEach((head, column) => {
    const button = head.querySelector("button");
    const first = head.dataset.first;
    const second = first === "ascending" ? "descending" : "ascending";
    const next = { none: first, [first]: second, [second]: "none" };
    button.addEventListener("click", () => {
      const order = next[head.getAttribute("aria-sort")];
      for (const other of heads) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", order);
      const asText = head.dataset.kind === "text";
      table.append(...(order === "none" ? recipeOrder : sorted(column, order, asText)));
      said.textContent =
        order === "none" ? "in the order of the recipe" : `sorted by ${button.dataset.spoken}, ${order}`;
    });
  });
}

// Paper has nothing to unfold: what is folded is opened for printing, and folded again.
let opened = [];
addEventListener("beforeprint", () => {
  opened = Array.from(document.querySelectorAll("details:not([open])"));
  for (const part of opened) part.open = true;
});
addEventListener("afterprint", () => {
  for (const part of opened) part.open = false;
});
