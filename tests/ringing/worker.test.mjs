/**
 * The demo's service worker where Firefox does not lead it: what it makes of any message, and where a click goes.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";

const ORIGIN = "http://localhost:8080";
const script = await readFile(new URL("../../crates/http/demo/worker.js", import.meta.url), "utf8");

/** The worker, in a browser that notes what it is asked for. */
function start({ pages = [] } = {}) {
  const listeners = {};
  const noted = { shown: [], opened: [], told: [], badges: [] };
  const client = (url) => ({
    url,
    postMessage: (message) => noted.told.push({ ...message }),
    focus: () => noted.opened.push("focus"),
  });
  const clients = {
    claim: async () => {},
    matchAll: async () => pages.map(client),
    openWindow: async (url) => noted.opened.push(url),
  };
  const self = {
    addEventListener: (name, listener) => (listeners[name] = listener),
    clients,
    location: new URL("/demo/worker.js", ORIGIN),
    navigator: { setAppBadge: async (badge) => noted.badges.push(badge) },
    registration: { showNotification: async (title, options) => noted.shown.push({ title, ...options }) },
    skipWaiting: async () => {},
  };
  runInContext(script, createContext({ self, URL }));
  const happens = async (name, event) => {
    let work;
    listeners[name]({ ...event, waitUntil: (promise) => (work = promise) });
    await work;
  };
  return {
    noted,
    /** A message of this text comes, and gives what was shown. */
    async receives(text) {
      await happens("push", { data: text === null ? null : { json: () => JSON.parse(text) } });
      return noted.shown.at(-1);
    },
    click: (notification) => happens("notificationclick", { notification: { ...notification, close: () => {} } }),
  };
}

test("a message is shown as it says, and the page is told", async () => {
  const worker = start({ pages: [`${ORIGIN}/demo`] });
  const said = { title: "Ring", body: "Who is there?" };
  const notification = { ...said, image: "/bell.png", url: "/docs", badge: 0, sound: "ding" };
  const shown = await worker.receives(JSON.stringify({ messageId: "m", notification, data: { a: 1 } }));
  assert.deepEqual({ title: shown.title, body: shown.body }, said);
  assert.deepEqual([shown.tag, shown.image], ["m", `${ORIGIN}/bell.png`]);
  assert.deepEqual({ ...shown.data }, { url: `${ORIGIN}/docs`, more: { a: 1 } });
  assert.deepEqual(worker.noted.badges, [0]);
  assert.deepEqual(worker.noted.told, [{ messageId: "m", ...said }]);
});

test("a message that says nothing is shown all the same", async () => {
  for (const text of [null, "", "no JSON", "null", "{}", '{"messageId": "m", "data": {}}']) {
    const shown = await start().receives(text);
    assert.deepEqual([shown.title, shown.body], ["Doorbell", ""], text);
  }
});

test("a click leads to this server or by https, and nowhere else", async () => {
  for (const [url, leads] of [
    ["/docs#sendOtp", `${ORIGIN}/docs#sendOtp`],
    [`${ORIGIN}/`, `${ORIGIN}/`],
    ["https://example.com/a", "https://example.com/a"],
    ["http://example.com/", "/demo"],
    ["http://localhost:8081/", "/demo"],
    ["//example.com/", "/demo"],
    ["javascript:alert(1)", "/demo"],
    ["data:text/html,x", "/demo"],
    ["https://", "/demo"],
    [5, "/demo"],
    [undefined, "/demo"],
  ]) {
    const worker = start();
    await worker.click(await worker.receives(JSON.stringify({ notification: { url } })));
    assert.deepEqual(worker.noted.opened, [leads], url);
  }
});

test("a click that leads nowhere comes back to the page that is open", async () => {
  const worker = start({ pages: [`${ORIGIN}/docs`, `${ORIGIN}/demo#x`] });
  await worker.click(await worker.receives("{}"));
  assert.deepEqual(worker.noted.opened, ["focus"]);
});
