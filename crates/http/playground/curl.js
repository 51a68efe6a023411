/**
 * A request as a command for a POSIX shell, to be pasted anywhere.
 * @module
 */

/** A text as one word of a shell: within single quotes everything but a single quote stands for itself. */
export const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The same where shell variables must be expanded. */
const expanded = (before, variable) => `"${before.replace(/[\\"$`]/g, "\\$&")}$${variable}"`;

/**
 * @param {import("./request.js").ComposedRequest} request
 * @param {{showsToken: boolean}} options a secret stays a variable unless the visitor wants to see it
 */
export function curl(request, { showsToken }) {
  const lines = [`curl ${request.method === "GET" ? "" : `-X ${request.method} `}${quoted(request.url)}`];
  for (const { name, prefix = "", value, variable, secret } of request.headers) {
    const start = `${name}: ${prefix}`;
    const isShown = value && (showsToken || !secret);
    lines.push(`-H ${isShown ? quoted(start + value) : expanded(start, variable)}`);
  }
  // Not `--data`, to which a body that begins with @ names a file.
  if (request.body !== undefined) lines.push(`--data-raw ${quoted(request.body)}`);
  return lines.join(" \\\n  ");
}
