/**
 * Trying an operation: its form, the curl command that follows the form, and the sending.
 * @module
 */

import { AnswerPanel } from "./answer.js";
import { codeBlock } from "./code.js";
import { curl } from "./curl.js";
import { exampleOf, takeOver } from "./drafts.js";
import { element } from "./element.js";
import { inline } from "./markdown.js";
import { limits } from "./openapi.js";
import { compose, isFingerprint, parsed, send } from "./request.js";

/** Whether the token is seen in the command of every operation. */
let showsToken = false;

/** What is on its way: a new request cancels it. */
let underWay = new AbortController();

/** What is typed is no prose. */
const VERBATIM = { autocomplete: "off", spellcheck: "false" };

/** What the operation needs and the credentials lack, with a way to it. */
function missing({ schemes }, { accessToken, apiKey }) {
  if (schemes.some(({ id }) => id === "apiKey")) {
    if (apiKey) return [];
    return ["There is no API key. Make one by ", element("code", {}, "doorbell apikey create NAME"), "."];
  }
  if (schemes.length === 0 || accessToken) return [];
  return ["Nobody is signed in. Begin with ", element("a", { href: "#sendOtp" }, "sendOtp"), "."];
}

/** One operation's form, answer and command, in `nodes`. */
export class Trial {
  #operation;
  #page;
  #draft;
  #answer;
  #body;
  #command = codeBlock({ id: "curl", label: "curl", language: "shell" });
  #send = element("button", { type: "submit", id: "send" });
  #hint = element("p", {});
  #confirmation = element("input", { type: "checkbox", id: "confirm" });
  #confirmationRow = element("label", { class: "tick danger" }, this.#confirmation, "Change real data, this once");
  /** What was wrong when the visitor pressed the button last: pressed again, it is sent nevertheless. */
  #warned = "";

  /** Follows the credentials and servers until `signal` is aborted. */
  constructor(operation, page, signal) {
    this.#operation = operation;
    this.#page = page;
    this.#draft = page.drafts.of(operation);
    this.#answer = new AnswerPanel(operation);
    for (const followed of [page.credentials, page.servers]) {
      followed.addEventListener("change", () => this.#show(), { signal });
    }
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.nodes = [this.#form(), element("div", { class: "results" }, this.#answer.node, this.#commandCard())];
    this.#show();
  }

  #form() {
    const { parameters, body } = this.#operation;
    const asked = parameters.filter((parameter) => !isFingerprint(parameter));
    const fields = asked.map((parameter) => this.#field(parameter));
    if (body) fields.push(this.#bodyField(body));
    if (fields.length === 0) fields.push(element("p", { class: "quiet" }, "It takes no parameters and no body."));
    const submit = (event) => {
      event.preventDefault();
      this.#try();
    };
    return element(
      "form",
      { class: "card", novalidate: true, on: { submit } },
      element("h2", {}, "Try it"),
      fields,
      this.#confirmationRow,
      element("div", { class: "row" }, this.#send, element("span", { class: "quiet" }, "or Ctrl + Enter")),
      this.#hint,
    );
  }

  #field(parameter) {
    const { name, required, description } = parameter;
    const id = `parameter-${name}`;
    const input = element("input", {
      id,
      ...VERBATIM,
      type: "text",
      value: this.#draft.values[name],
      placeholder: exampleOf(parameter),
      required,
      "aria-describedby": `${id}-hint`,
      on: { input: () => this.#edit(() => (this.#draft.values[name] = input.value)) },
    });
    const place = `${required ? "required" : "optional"}, in the ${parameter.in}`;
    return element(
      "div",
      { class: "field" },
      element("label", { for: id }, `${name} `, element("code", {}, place)),
      input,
      element("p", { class: "hint", id: `${id}-hint` }, inline(description), ` (${limits(parameter.schema)})`),
    );
  }

  #bodyField({ mediaType }) {
    this.#body = element("textarea", {
      id: "request-body",
      ...VERBATIM,
      rows: Math.min(18, this.#draft.body.split("\n").length + 1),
      on: { input: () => this.#edit(() => (this.#draft.body = this.#body.value)) },
    });
    const label = element("label", { for: "request-body" }, "Body ", element("code", {}, mediaType));
    return element("div", { class: "field" }, label, this.#body);
  }

  #commandCard() {
    const change = () => this.#edit(() => (showsToken = tick.checked));
    const tick = element("input", { type: "checkbox", id: "show-token", checked: showsToken, on: { change } });
    return element(
      "section",
      { class: "card" },
      element("h2", {}, "From a shell"),
      this.#command.node,
      this.#operation.schemes.length > 0 && element("label", { class: "tick" }, tick, "Show token in curl"),
    );
  }

  #edit(change) {
    change();
    this.#show();
  }

  #compose() {
    const { servers, credentials } = this.#page;
    return compose(this.#operation, { server: servers.url, ...this.#draft, credentials });
  }

  /** Brings all that depends on form, credentials and server up to them. */
  #show() {
    const { credentials, servers } = this.#page;
    const isDangerous = servers.picked.isOwn && servers.picked.isProduction;
    this.#warned = "";
    // An answer may have changed the draft. Else the cursor stays where it is.
    if (this.#body && this.#body.value !== this.#draft.body) this.#body.value = this.#draft.body;
    this.#command.show(curl(this.#compose(), { showsToken }));
    this.#confirmationRow.hidden = !(isDangerous && this.#operation.changes);
    this.#send.textContent = isDangerous ? "Send to Production" : "Send";
    this.#send.classList.toggle("danger", isDangerous);
    this.#hint.replaceChildren(...missing(this.#operation, credentials));
  }

  /** Why nothing is sent, with a way to where it can be. */
  #refuse({ picked, url }) {
    const link = element("a", { href: `${url}/docs#${this.#operation.id}`, rel: "noreferrer" }, `${url}/docs`);
    const why = `Not sent: this page sends only to its own server, not to ${picked.name}.`;
    this.#answer.say("failure", why, " Run the curl command, or open ", link, ".");
  }

  /** What is wrong with the form, in words. */
  #problems() {
    const { parameters, body } = this.#operation;
    const { values } = this.#draft;
    const missing = parameters.filter((known) => known.required && !isFingerprint(known) && !values[known.name]);
    const problems = missing.map(({ name }) => `${name} is empty`);
    if (body && parsed(this.#draft.body) === undefined) problems.push("the body is not JSON");
    return problems.join(", and ");
  }

  async #try() {
    const { servers } = this.#page;
    if (!servers.picked.isOwn) return this.#refuse(servers);
    if (!this.#confirmationRow.hidden && !this.#confirmation.checked) {
      this.#confirmation.focus();
      return this.#answer.say("failure", "Not sent: this changes real data. Tick the box above the button first.");
    }
    const problems = this.#problems();
    if (problems && problems !== this.#warned) {
      this.#warned = problems;
      this.#send.textContent = "Send anyway";
      return this.#answer.say("failure", `Not sent: ${problems}. Press the button again to send it as it is.`);
    }
    this.#confirmation.checked = false;
    await this.#exchange(this.#compose());
    this.#show();
  }

  async #exchange(request) {
    underWay.abort();
    underWay = new AbortController();
    const { signal } = underWay;
    this.#answer.say("quiet", "Waiting for the answer…");
    try {
      const answer = await send(request, signal);
      this.#answer.show(answer, takeOver(this.#operation, answer, this.#page));
    } catch (error) {
      if (!signal.aborted) this.#answer.fail(error);
    }
  }

  #key(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.#try();
  }
}
