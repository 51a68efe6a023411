/**
 * Builds the page's nodes. Text always becomes text, so that nothing which a server answers can become markup.
 * @module
 */

const isThere = (value) => value !== undefined && value !== null && value !== false;

/**
 * An element with attributes, listeners (`on: {click: …}`) and children, among them lists of children. What is
 * `undefined`, `null` or `false` is left out.
 * @returns {HTMLElement}
 */
export function element(name, { on = {}, ...attributes } = {}, ...children) {
  const node = document.createElement(name);
  for (const [event, listener] of Object.entries(on)) node.addEventListener(event, listener);
  for (const [key, value] of Object.entries(attributes).filter(([, value]) => isThere(value))) {
    node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter(isThere));
  return node;
}

/** The element of this id, which index.html holds. */
export const byId = (id) => document.getElementById(id);

/** Says something to those who do not see the page change. */
export function announce(text) {
  byId("announcement").textContent = text;
}
