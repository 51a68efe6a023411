/**
 * From an operation and what the visitor typed to a request: the one place that knows where each value goes, so that
 * what is shown as curl is what is sent.
 * @module
 */

/**
 * @typedef {object} ComposedRequest
 * @property {string} method
 * @property {string} url
 * @property {Array<{name: string, prefix?: string, value: string, variable?: string, secret?: boolean}>} headers
 *   a value is empty where the visitor gave none, and `variable` is what a shell calls it
 * @property {string} [body]
 */

/** Whether a parameter is the header that the credentials fill, wherever an operation takes it. */
export const isFingerprint = ({ name }) => name.toLowerCase() === "x-fingerprint-id";

/** @returns {ComposedRequest} */
export function compose(operation, { server, values, body, credentials }) {
  const given = (place) =>
    operation.parameters
      .filter((parameter) => parameter.in === place)
      .map((parameter) => ({
        ...parameter,
        value: isFingerprint(parameter) ? credentials.fingerprint : (values[parameter.name] ?? ""),
      }));
  const path = given("path").reduce(
    (filled, { name, value }) => filled.replace(`{${name}}`, () => encodeURIComponent(value)),
    operation.path,
  );
  const query = given("query")
    .filter(({ value }) => value !== "")
    .map(({ name, value }) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join("&");
  const headers = operation.schemes.map((scheme) => credentialOf(scheme, credentials));
  for (const { name, required, value } of given("header")) {
    const variable = name.toUpperCase().replaceAll("-", "_");
    if (required || value) headers.push({ name, value, variable });
  }
  if (operation.body) headers.push({ name: "Content-Type", value: operation.body.mediaType });
  return {
    method: operation.method,
    url: `${server}${path}${query && `?${query}`}`,
    headers,
    body: operation.body ? body : undefined,
  };
}

/** The header of a security scheme. */
function credentialOf({ id, type, name = "Authorization" }, { accessToken, userId, apiKey }) {
  if (id === "userId") return { name, value: userId, variable: "USER_ID" };
  const [value, variable] = id === "apiKey" ? [apiKey, "API_KEY"] : [accessToken, "TOKEN"];
  return { name, prefix: type === "http" ? "Bearer " : "", value, variable, secret: true };
}

/** Sends it, and reads all of the answer. What was not given is not sent. */
export async function send({ method, url, headers, body }, signal) {
  const began = performance.now();
  const given = headers.filter(({ value }) => value).map(({ name, prefix = "", value }) => [name, prefix + value]);
  const response = await fetch(url, { method, headers: given, body, signal, credentials: "omit", cache: "no-store" });
  const text = await response.text();
  return {
    status: response.status,
    reason: response.statusText,
    ok: response.ok,
    redirectedTo: response.redirected && new URL(response.url).pathname,
    headers: [...response.headers],
    text,
    json: parsed(text),
    milliseconds: performance.now() - began,
  };
}

/** The JSON in a text, or `undefined`. */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
