/**
 * The playground in Production, by keyboard, on a phone and in the dark.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { PRODUCTION_HOST } from "./browser.mjs";
import { startSite } from "./site.mjs";

const site = startSite();

test("what is meant for another server is shown and not sent", async () => {
  const visit = await site.visit({ path: "/docs#sendOtp" });
  const { page } = visit;
  assert.ok(await page.locator("#production-warning").isHidden());
  await page.locator("#server").selectOption("Production");
  assert.match(await visit.text("#production-warning"), /Real data is affected/);
  await page.locator("#server-variable-host").fill("bell.example.org");
  assert.match(await visit.text("#curl"), /^curl -X POST 'https:\/\/bell\.example\.org\/api\/v1\/auth\/send-otp'/);
  await page.locator("#send").click();
  assert.match(await visit.text("#answer-status"), /sends only to its own server/);
  const link = page.locator("#answer-status a");
  assert.equal(await link.getAttribute("href"), "https://bell.example.org/docs#sendOtp");
  assert.ok(!visit.requests.some((request) => request.startsWith("POST")));
  await visit.isAccessible();
  await visit.screenshot("production-warning");
  await visit.end();
});

test("on a production server every change is confirmed by itself", async () => {
  const origin = site.origin.replace("127.0.0.1", PRODUCTION_HOST);
  const visit = await site.visit({ origin, path: "/docs#sendOtp" });
  const { page } = visit;
  assert.equal(await page.locator("#server").inputValue(), "Production");
  assert.ok(await page.locator("#production-warning").isVisible());
  await page.locator("#send").click();
  assert.match(await visit.text("#answer-status"), /Not sent/);
  assert.ok(!visit.requests.some((request) => request.startsWith("POST")));
  await visit.isAccessible();
  await visit.screenshot("production-own");
  await page.locator("#confirm").check();
  await visit.send(200);
  assert.ok(!(await page.locator("#confirm").isChecked()));
  await visit.open("getLiveness");
  assert.ok(await page.locator("#confirm").isHidden());
  await visit.send(200);
  await visit.end();
});

test("the keyboard suffices", async () => {
  const visit = await site.visit();
  const { page } = visit;
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.localName);
  const focusedText = () => page.evaluate(() => document.activeElement.textContent);
  await page.keyboard.press("Tab");
  assert.equal(await focusedText(), "Skip to the content");
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "main");
  await page.keyboard.press("/");
  assert.equal(await focused(), "filter");
  await page.keyboard.type("send-otp");
  assert.match(await visit.text("#filter-count"), /^1 of/);
  await page.keyboard.press("Enter");
  await page.locator("h1", { hasText: "Send a one-time code" }).waitFor();
  assert.equal(await focused(), "h1");
  for (let presses = 0; (await focused()) !== "request-body"; presses++) {
    assert.ok(presses < 5, "the body is a few steps from the heading");
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Control+a");
  await page.keyboard.type('{"countryCode": "90", "phoneNumber": "5551110005"}');
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "send");
  await page.keyboard.press("Enter");
  const { code } = await visit.answered(200);
  await page.keyboard.press("Tab");
  assert.equal(await focusedText(), "verifyOtp");
  await page.keyboard.press("Enter");
  await page.locator("h1", { hasText: "Sign in" }).waitFor();
  assert.match(await page.locator("#request-body").inputValue(), new RegExp(code));
  await page.keyboard.press("Control+Enter");
  await visit.answered(200);
  await visit.end();
});

test("on a phone nothing is wider than the screen", async () => {
  const visit = await site.visit({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  const { page } = visit;
  await visit.fits();
  await visit.screenshot("phone-overview");
  await page.locator("#menu").click();
  await visit.fits();
  await visit.screenshot("phone-operations");
  await visit.open("addDevice");
  assert.ok(await page.locator("#navigation").isHidden());
  await page.locator("details").evaluateAll((all) => all.forEach((details) => (details.open = true)));
  await visit.fits();
  await visit.isAccessible();
  await page.locator("#server").selectOption("Production");
  await visit.fits();
  await page.locator("#server").selectOption("Development");
  await visit.open("listDevices");
  await visit.send(401);
  await visit.fits();
  await visit.screenshot("phone-answer");
  await visit.screenshot("phone-whole", { fullPage: true });
  await visit.end(/401/);
});

test("in the dark it is dark, and readable", async () => {
  const visit = await site.visit({ colorScheme: "dark", reducedMotion: "reduce", path: "/docs#registerDeviceToken" });
  await visit.isAccessible();
  await visit.screenshot("operation-dark");
  await visit.screenshot("operation-dark-whole", { fullPage: true });
  await visit.page.locator("#server").selectOption("Production");
  await visit.isAccessible();
  await visit.end();
});
