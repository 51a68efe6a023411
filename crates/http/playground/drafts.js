/**
 * What the visitor typed for each operation, and what one answer hands to the next request: a code to where it is
 * verified, a token to whoever needs it.
 * @module
 */

import { element } from "./element.js";
import { parsed } from "./request.js";

/** A draft for each operation, begun from the document's examples, kept while the page is open. */
export class Drafts {
  #drafts = new Map();

  /** @returns {{values: Record<string, string>, body: string}} */
  of({ id, parameters, body }) {
    if (!this.#drafts.has(id)) {
      const required = parameters.filter((parameter) => parameter.required);
      const values = Object.fromEntries(required.map((parameter) => [parameter.name, exampleOf(parameter)]));
      this.#drafts.set(id, { values, body: indented(body?.example ?? {}) });
    }
    return this.#drafts.get(id);
  }

  /** Puts fields into the body of an operation; one that is broken begins anew. */
  fill(operation, fields) {
    const draft = this.of(operation);
    draft.body = indented({ ...(parsed(draft.body) ?? operation.body.example), ...fields });
  }
}

/** What a parameter looks like. */
export const exampleOf = ({ example, schema }) => String(example ?? schema.examples?.[0] ?? schema.example ?? "");

const indented = (value) => JSON.stringify(value, null, 2);

/**
 * Takes from an answer what other requests need, and says so.
 * @returns {Array<Array<string | Node>>} a line for each thing taken
 */
export function takeOver(operation, answer, { description, credentials, drafts }) {
  if (!answer.ok) return [];
  const { accessToken, refreshToken, code, countryCode, phoneNumber } = answer.json?.data ?? answer.json ?? {};
  const notices = [];
  if (accessToken) {
    credentials.change({ accessToken });
    notices.push(["The access token is in the credentials now: every operation uses it."]);
  }
  if (refreshToken) {
    const takers = description.operations.filter(({ body }) => body?.example?.refreshToken);
    for (const taker of takers) drafts.fill(taker, { refreshToken });
  }
  const verification = description.operation("verifyOtp");
  if (operation.id === "sendOtp" && verification) {
    drafts.fill(verification, { countryCode, phoneNumber, ...(code && { code }) });
    const link = element("a", { href: "#verifyOtp" }, "verifyOtp");
    notices.push(["The number", code ? " and the code are" : " is", " filled in at ", link, "."]);
  }
  return notices;
}
