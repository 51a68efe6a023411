/**
 * The demo where it cannot ring: by keyboard, on a phone, in the dark, without permission and without Web Push. Ringing
 * itself is tested in tests/ringing, because Chromium's push service cannot be a test's own.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { startSite } from "./site.mjs";

const site = startSite();

const shown = (visit, selector, text) => visit.page.locator(selector, { hasText: text }).waitFor();

/** Signs in by the keyboard alone, from the phone's number on. */
async function signIn(visit, phoneNumber) {
  const { page } = visit;
  await page.locator("#phone-number").focus();
  await page.keyboard.press("Control+a");
  await page.keyboard.type(phoneNumber);
  await page.keyboard.press("Enter");
  await shown(visit, "#sign-in-status", "The code is");
  assert.equal(await page.evaluate(() => document.activeElement.id), "code");
  await page.keyboard.press("Enter");
  await shown(visit, "#sign-in-status", "Signed in as user");
}

test("the keyboard suffices, and whoever blocks notifications is told how to allow them", async () => {
  const visit = await site.visit({ path: "/demo" });
  const { page } = visit;
  await visit.isAccessible();
  for (const id of ["subscribe", "unsubscribe", "leave", "ring"]) {
    assert.ok(await page.locator(`#${id}`).isDisabled(), id);
  }
  await signIn(visit, "5551110101");
  assert.equal(await page.evaluate(() => document.activeElement.id), "subscribe");
  await page.keyboard.press("Enter");
  await shown(visit, "#subscribe-status", "Notifications are blocked here");
  await visit.isAccessible();
  await visit.screenshot("demo-blocked");
  // With nothing to ring, a ring says so.
  await page.locator("#text").focus();
  await page.keyboard.press("Enter");
  await shown(visit, "#ring-status", "nothing can be rung");
  // The next code has to wait, and so has the visitor.
  await page.locator("#phone-number").focus();
  await page.keyboard.press("Enter");
  await shown(visit, "#sign-in-status", "Try again in");
  await visit.end(/400/, /429/);
});

test("the sign-in is the playground's, and ends with its session", async () => {
  const visit = await site.visit({ path: "/demo" });
  const { page } = visit;
  await signIn(visit, "5551110102");
  const token = await page.evaluate(() => JSON.parse(sessionStorage.getItem("doorbell.credentials")).accessToken);
  await page.goto(`${site.origin}/docs`);
  await page.locator("#credentials-state", { hasText: "Signed in as" }).waitFor();
  await page.goto(`${site.origin}/demo`);
  await shown(visit, "#sign-in-status", "Signed in as user");
  const headers = { Authorization: `Bearer ${token}` };
  const ended = await fetch(`${site.origin}/api/v1/auth/logout`, { method: "POST", headers });
  assert.ok(ended.ok);
  await page.locator("#ring").click();
  await shown(visit, "#ring-status", "sign in again");
  assert.ok(await page.locator("#ring").isDisabled());
  await visit.end(/401/);
});

test("a browser without Web Push is told so", async () => {
  const visit = await site.visit({ path: "/demo" });
  await visit.page.addInitScript(() => delete window.PushManager);
  await visit.page.reload();
  await shown(visit, "#subscribe-status", "This browser has no Web Push here");
  await signIn(visit, "5551110103");
  assert.ok(await visit.page.locator("#subscribe").isDisabled());
  await visit.end();
});

test("on a phone and in the dark it is readable", async () => {
  const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, colorScheme: "dark" };
  const visit = await site.visit({ ...phone, path: "/demo" });
  await signIn(visit, "5551110104");
  await visit.fits();
  await visit.isAccessible();
  await visit.screenshot("demo-phone", { fullPage: true });
  await visit.end();
});
