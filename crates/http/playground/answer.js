/**
 * What came back: status, time, headers and body, or in words why nothing did.
 * @module
 */

import { codeBlock } from "./code.js";
import { element } from "./element.js";
import { inline } from "./markdown.js";

/** The panel that shows the answers of one operation. */
export class AnswerPanel {
  #status = element("p", { id: "answer-status", role: "status", class: "quiet" }, "Nothing was sent yet.");
  #notices = element("div", { id: "answer-notices", role: "status" });
  #summary = element("summary");
  #headers = element("dl", { class: "headers hint" });
  #body = codeBlock({ id: "answer-body", label: "Body", language: "json" });
  #more = element("div", { hidden: true }, element("details", {}, this.#summary, this.#headers), this.#body.node);

  constructor(operation) {
    this.operation = operation;
    this.node = element(
      "section",
      { class: "card answer" },
      element("h2", {}, "Answer"),
      this.#status,
      this.#notices,
      this.#more,
    );
  }

  /** Says something instead of an answer. */
  say(kind, ...words) {
    this.#more.hidden = true;
    this.#notices.replaceChildren();
    this.#status.className = kind;
    this.#status.replaceChildren(...words);
    // On a phone the answer stands below the form.
    this.#status.scrollIntoView({ block: "nearest" });
  }

  /** Shows an answer, with what was taken from it. */
  show(answer, notices) {
    const { status, reason, milliseconds, text, json, headers } = answer;
    const size = new TextEncoder().encode(text).length;
    const title = element("strong", { class: `status s${Math.floor(status / 100)}` }, `${status} ${reason}`);
    this.say("", title, ` in ${Math.round(milliseconds)} ms, ${size} bytes`);
    const lines = [this.#meaning(answer), ...notices];
    this.#notices.replaceChildren(...lines.map((line) => element("p", {}, line)));
    this.#summary.textContent = `${headers.length} headers`;
    this.#headers.replaceChildren(...headers.map(([name, value]) => headerRow(name, value)));
    this.#body.show(json === undefined ? text : JSON.stringify(json, null, 2));
    this.#body.node.hidden = text === "";
    this.#more.hidden = false;
  }

  /** Says why there is no answer. */
  fail({ message }) {
    this.say("failure", `No answer: the server cannot be reached, or the browser refused to send this (${message}).`);
  }

  /** What the document says of an answer of this status. */
  #meaning({ status, redirectedTo }) {
    if (redirectedTo) return `After a redirect to ${redirectedTo}.`;
    const documented = this.operation.answers.find((answer) => answer.status === String(status));
    return inline(documented?.description ?? "The document does not speak of this status.");
  }
}

/** A header with what it says, or what is to be said of it. */
export const headerRow = (name, ...about) => element("div", {}, element("dt", {}, name), element("dd", {}, about));
