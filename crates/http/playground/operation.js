/**
 * Everything about one operation: what it does, who may call it, the form, and what it takes and answers.
 * @module
 */

import { headerRow } from "./answer.js";
import { badge } from "./badge.js";
import { codeBlock } from "./code.js";
import { element } from "./element.js";
import { inline, paragraphs } from "./markdown.js";
import { limits } from "./openapi.js";
import { isFingerprint } from "./request.js";
import { Trial } from "./trial.js";
import { declarations } from "./typescript.js";

/** @returns {Node[]} */
export function operationView(operation, page, signal) {
  const trial = new Trial(operation, page, signal);
  return [
    head(operation),
    element("div", { class: "work" }, trial.nodes, operation.body && requestCard(operation, page.description)),
    answersSection(operation, page.description),
  ];
}

function head({ id, method, path, summary, description, tag, ...operation }) {
  return element(
    "header",
    { class: "operation-head" },
    element("p", { class: "quiet" }, tag, " · ", element("a", { href: `#${id}`, title: "Permanent link" }, id)),
    element("h1", { tabindex: "-1" }, summary),
    element("p", { class: "row" }, badge(method), element("code", { class: "path" }, path)),
    element("div", { class: "prose" }, paragraphs(description)),
    element("p", {}, element("strong", {}, "Who may call it: "), access(operation)),
  );
}

function access({ schemes, parameters }) {
  if (schemes.length === 0) return "anybody; nobody need be signed in.";
  const names = schemes.map(({ type, name }) => (type === "http" ? "Authorization: Bearer" : name));
  names.push(...parameters.filter(isFingerprint).map(({ name }) => name));
  const listed = names.map((name, index) => [index > 0 && " and ", element("code", {}, name)]);
  const who = schemes.some(({ id }) => id === "apiKey") ? "whoever holds an API key" : "whoever is signed in";
  return [`${who}, with `, listed, ", taken from the credentials."];
}

function requestCard({ id, body }, description) {
  const type = typeOf(body, `${id}Request`, description);
  return element(
    "section",
    { class: "card" },
    element("h2", {}, "Request body"),
    codeBlock({ id: "request-type", label: "TypeScript", language: "typescript" }, type).node,
  );
}

function answersSection(operation, description) {
  return element(
    "section",
    { class: "answers" },
    element("h2", {}, "Documented answers"),
    operation.answers.map((answer) => answerDetails(operation, answer, description)),
  );
}

function answerDetails({ id }, { status, description: text, headers, contents }, description) {
  const rows = headers.map((each) => headerRow(each.name, inline(each.description), ` (${limits(each.schema)})`));
  const pairs = contents.map((content) => {
    const type = typeOf(content, `${id}${status}`, description);
    return element(
      "div",
      { class: "pair" },
      codeBlock({ label: `${content.mediaType}, for example`, language: "json" }, exampleText(content)).node,
      codeBlock({ label: `TypeScript of ${status}`, language: "typescript" }, type).node,
    );
  });
  return element(
    "details",
    { class: "card documented", open: status.startsWith("2") },
    element("summary", {}, element("span", { class: `status s${status[0]}` }, status), " ", inline(text)),
    element("dl", { class: "headers hint" }, rows),
    pairs.length > 0 ? pairs : element("p", { class: "quiet" }, "Without a body."),
  );
}

const exampleText = ({ example }) => (typeof example === "string" ? example : JSON.stringify(example, null, 2));

/** The type of a body; one that has no name in the document is called after the operation. */
const typeOf = ({ schema }, name, description) =>
  declarations(schema, name[0].toUpperCase() + name.slice(1), (node) => description.resolve(node));
