/**
 * The list of operations by dialect, and the box that filters it.
 * @module
 */

import { badge } from "./badge.js";
import { byId, element } from "./element.js";

/** Fills the list of index.html. */
export function showNavigation(description) {
  const links = [];
  const groups = description.tags.map((tag) => {
    const heading = `group-${tag.name.replace(/\W/g, "-")}`;
    const items = tag.operations.map((operation) => {
      const link = linkTo(operation);
      const item = element("li", {}, link);
      // All that the link shows, and the id.
      links.push({ item, link, text: `${operation.id} ${link.textContent} ${tag.name}`.toLowerCase() });
      return item;
    });
    const list = element("ul", { "aria-labelledby": heading }, items);
    return element("div", { class: "group" }, element("p", { id: heading, class: "hint" }, tag.name), list);
  });
  byId("operations").append(...groups);
  const filter = byId("filter");
  filter.addEventListener("input", () => narrow(filter.value, links, groups));
  filter.addEventListener("keydown", (event) => {
    if (event.key === "Enter") links.find(({ item }) => !item.hidden)?.link.click();
  });
  byId("menu").addEventListener("click", () => unfold(byId("menu").getAttribute("aria-expanded") === "false"));
  byId("operations").addEventListener("click", () => unfold(false));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest("input, textarea, select")) return;
    event.preventDefault();
    unfold(true);
    filter.focus();
    filter.select();
  });
}

/** Marks the operation that is shown. On a phone the list makes room for it. */
export function markCurrent(id) {
  for (const link of byId("operations").querySelectorAll("a")) {
    const isCurrent = link.dataset.operation === id;
    link.ariaCurrent = isCurrent ? "page" : null;
    if (isCurrent) link.scrollIntoView({ block: "nearest" });
  }
  unfold(false);
}

function unfold(isOpen) {
  byId("menu").setAttribute("aria-expanded", String(isOpen));
  byId("navigation").classList.toggle("unfolded", isOpen);
}

function linkTo({ id, method, path, summary }) {
  return element(
    "a",
    { href: `#${id}`, "data-operation": id },
    `${summary} `,
    element("span", { class: "where" }, badge(method), " ", element("code", {}, path)),
  );
}

/** Shows what holds every word of the filter. */
function narrow(filter, links, groups) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = links.filter(({ text }) => words.every((word) => text.includes(word)));
  for (const link of links) link.item.hidden = !shown.includes(link);
  for (const group of groups) group.hidden = !group.querySelector("li:not([hidden])");
  byId("filter-count").textContent = words.length > 0 ? `${shown.length} of ${links.length}` : "";
}
