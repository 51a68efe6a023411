/**
 * The playground's modules where the document does not lead: hostile quotes, every form of a schema, every kind of
 * host. They are asked in the browser, as they are served.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

import { startSite } from "./site.mjs";

const run = promisify(execFile);

const site = startSite();

/** Where the page has a module from. */
async function pathOf(visit, module) {
  return (await visit.page.locator("script").getAttribute("src")).replace("playground.js", module);
}

/** Calls a function of a module of the page. */
async function call(visit, module, name, ...parameters) {
  const path = await pathOf(visit, module);
  return visit.page.evaluate(
    async ([path, name, parameters]) => (await import(path))[name](...parameters),
    [path, name, parameters],
  );
}

test("any text is one word of the shell", async () => {
  const visit = await site.visit();
  for (const text of ["", "'", "it's '' \"it\"", "$HOME `id` \\ !x *", "two\nlines", "@file", "é🔔"]) {
    const word = await call(visit, "curl.js", "quoted", text);
    const { stdout } = await run("sh", ["-c", `printf '%s|' ${word}`]);
    assert.equal(stdout, `${text}|`);
  }
  await visit.end();
});

test("every form of a schema has its type", async () => {
  const visit = await site.visit();
  const path = await pathOf(visit, "typescript.js");
  const typed = (schema) =>
    visit.page.evaluate(
      async ([path, schema]) => {
        const { declarations } = await import(path);
        return declarations(schema, "T", (node) => (node.$ref ? { type: "string" } : node));
      },
      [path, schema],
    );
  for (const [schema, type] of [
    [{ type: "integer" }, "number"],
    [{ type: ["string", "null"] }, "string | null"],
    [{ enum: ["a", 'b"', 1, null] }, '"a" | "b\\"" | 1 | null'],
    [{ const: true }, "true"],
    [{ type: "array", items: { type: ["number", "null"] } }, "Array<number | null>"],
    [{ type: "array", items: { type: "boolean" } }, "boolean[]"],
    [{ type: "object" }, "Record<string, unknown>"],
    [{ type: "object", additionalProperties: { type: "number" } }, "Record<string, number>"],
    [{ anyOf: [{ type: "null" }, { type: "string" }] }, "null | string"],
    [{ allOf: [{ type: "string" }, { oneOf: [{ const: 1 }, { const: 2 }] }] }, "string & (1 | 2)"],
    [
      { allOf: [{ properties: { a: {} } }, { oneOf: [{ properties: { b: {} } }, { properties: { c: {} } }] }] },
      "{\n  a?: unknown;\n} & ({\n  b?: unknown;\n} | {\n  c?: unknown;\n})",
    ],
    [{}, "unknown"],
  ]) {
    assert.equal(await typed(schema), `export type T = ${type};`);
  }
  const named = { oneOf: [{ type: "null" }, { $ref: "#/components/schemas/A.b" }] };
  assert.equal(await typed(named), "export type T = null | A_b;\n\nexport type A_b = string;");
  const nested = {
    description: "Ends */ here.",
    properties: { "a-b": { properties: { c: { type: "null" } }, required: ["c"] } },
  };
  assert.equal(
    await typed(nested),
    '/** Ends *\\/ here. */\nexport interface T {\n  "a-b"?: {\n    c: null;\n  };\n}',
  );
  await visit.end();
});

test("a host is nearby, or it is production", async () => {
  const visit = await site.visit();
  const nearby =
    "localhost 127.0.0.1 127.8.9.10 [::1] 10.0.0.1 172.16.0.1 172.31.9.9 192.168.1.2 169.254.1.1 [fd00::1] [fe80::1] " +
    "bell.local a.localhost a.test";
  const far =
    "doorbell.example.com 8.8.8.8 172.32.0.1 192.169.0.1 10.example.com localhost.example.com [2001:db8::1] mylocal";
  for (const host of nearby.split(" ")) assert.ok(await call(visit, "servers.js", "isNearby", host), host);
  for (const host of far.split(" ")) assert.ok(!(await call(visit, "servers.js", "isNearby", host)), host);
  await visit.end();
});
