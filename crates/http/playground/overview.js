/**
 * The page's beginning: what the service is, and each dialect with its operations.
 * @module
 */

import { badge } from "./badge.js";
import { element } from "./element.js";
import { paragraphs } from "./markdown.js";

/** @returns {Node[]} */
export function overview({ info, tags }) {
  const links = element(
    "p",
    { class: "row" },
    element("a", { class: "button", href: "#sendOtp" }, "Sign in: send a code"),
    element("a", { class: "button plain", href: "/openapi.json" }, "OpenAPI document"),
  );
  return [
    element("h1", { tabindex: "-1" }, info.title),
    element("div", { class: "prose" }, paragraphs(info.description), links),
    ...tags.map(section),
  ];
}

const section = ({ name, description, operations }) =>
  element(
    "section",
    { class: "dialect" },
    element("h2", {}, name),
    element("div", { class: "prose" }, paragraphs(description)),
    element("ul", { class: "index" }, operations.map(item)),
  );

const item = ({ id, method, path, summary }) =>
  element("li", {}, badge(method), element("a", { href: `#${id}` }, summary), element("code", {}, path));
