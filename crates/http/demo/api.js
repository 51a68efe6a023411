/**
 * The requests that the page makes, and in words why one was refused.
 * @module
 */

/** What went wrong, in words for the visitor. */
export class Trouble extends Error {
  /** The answer's status, where there was an answer. */
  status;

  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** Asks the server; gives the answer's body. */
export async function ask(method, path, { token, body } = {}) {
  const headers = { Accept: "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  const request = { method, headers, body: body && JSON.stringify(body), credentials: "omit", cache: "no-store" };
  let response;
  let text;
  try {
    response = await fetch(path, request);
    text = await response.text();
  } catch {
    throw new Trouble("The server cannot be reached.");
  }
  if (!response.ok) throw new Trouble(reason(response, parsed(text)), response.status);
  return parsed(text);
}

function reason({ status, headers }, body) {
  if (status === 401) return "Not signed in any more: sign in again.";
  if (status === 429) return `Too soon. Try again in ${seconds(Number(headers.get("Retry-After")) || 1)}.`;
  return `The server refused this (${status}): ${said(body) || "it did not say why"}.`;
}

const seconds = (count) => (count === 1 ? "1 second" : `${count} seconds`);

/** What an error says of itself, in the envelope of sign-in or as problem details. */
const said = (body) => body?.detail ?? body?.errors?.join(": ");

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
