/**
 * The first ring, with Firefox as the judge: it decrypts what Doorbell encrypted, and says to its push service
 * whether it could.
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startDoorbell } from "../playground/doorbell.mjs";
import { startFirefox } from "./firefox.mjs";
import { startPushService } from "./push-service.mjs";
import { isVouchedFor } from "./vapid.mjs";

/** What Firefox says of a message that it decrypted and handed to the page's worker. */
const DELIVERED = 100;

let doorbell;
let pushService;
let firefox;
let token;

before(async () => {
  [doorbell, pushService] = await Promise.all([startDoorbell(), startPushService()]);
  firefox = await startFirefox(pushService.address);
});

after(async () => {
  await firefox?.stop();
  await pushService?.stop();
  await doorbell?.stop();
});

/** Asks Doorbell as the page does. */
async function ask(path) {
  const response = await fetch(doorbell.origin + path, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal(response.status, 200, path);
  return response.json();
}

const subscriptions = () => ask("/push/subscriptions");

/** Subscribes by the page, and gives what the browser asked its push service for. */
async function subscribe() {
  const registered = pushService.told("register");
  await firefox.click("#subscribe");
  await firefox.shows("#subscribe-status", /^Subscribed with localhost:/);
  return registered;
}

/** Rings by the page, again while it is too soon for that, and waits until its job has ended so. */
async function ring(text, state) {
  await firefox.type("#text", text);
  let status = "Too soon";
  for (let tries = 0; tries < 100 && status.startsWith("Too soon"); tries++) {
    await firefox.click("#ring");
    status = await firefox.shows("#ring-status", /over|refused|Too soon/);
  }
  assert.match(status, /over/);
  assert.match(await firefox.text("#jobs"), new RegExp(state));
}

test("a phone signs in by the page", async () => {
  await firefox.open(`${doorbell.origin}/demo`);
  await firefox.click("#send-code");
  const status = await firefox.shows("#sign-in-status", /The code is/);
  assert.equal(await firefox.evaluate(() => document.querySelector("#code").value), /[0-9]+/.exec(status)[0]);
  await firefox.screenshot("1-the-code");
  // The phone waits for its next code, and is told how long.
  await firefox.click("#send-code");
  await firefox.shows("#sign-in-status", /Try again in [1-6]?[0-9] seconds?\.$/);
  await firefox.click("#sign-in");
  await firefox.shows("#sign-in-status", /^Signed in as user [0-9a-f-]{36}\.$/);
  token = await firefox.evaluate(() => JSON.parse(sessionStorage.getItem("doorbell.credentials")).accessToken);
});

test("the browser subscribes with Doorbell's key, is rung, and shows what was said", async () => {
  const { publicKey } = await ask("/push/vapid-key");
  const { channelID, key } = await subscribe();
  assert.equal(Buffer.from(key, "base64url").toString("base64url"), publicKey);
  const [{ endpoint }] = await subscriptions();
  assert.equal(endpoint, `${pushService.origin}/push/${channelID}`);

  const text = `Ünal & <b>Söhne</b> 🔔 ${Math.random()}`;
  const acknowledged = pushService.told("ack");
  await ring(text, "delivered");
  assert.equal((await acknowledged).code, DELIVERED);
  await firefox.shows("#arrivals", /Shown/);
  assert.equal(await firefox.text("#arrivals q"), text);
  const shown = await firefox.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration("/demo/worker.js");
    return (await registration.getNotifications()).map(({ body, tag }) => ({ body, tag }));
  });
  const messageId = await firefox.evaluate(() => document.querySelector("#arrivals li").dataset.message);
  assert.deepEqual(shown, [{ body: text, tag: messageId }]);
  await firefox.screenshot("2-rung");

  const [{ path, headers, body }, ...others] = pushService.posts;
  assert.deepEqual(others, []);
  assert.equal(path, new URL(endpoint).pathname);
  assert.equal(headers["content-encoding"], "aes128gcm");
  assert.equal(headers.urgency, "high");
  assert.ok(Number(headers.ttl) > 0);
  assert.ok(!body.includes(text), "it is encrypted");
  isVouchedFor(headers.authorization, pushService.origin, publicKey);
});

test("who leaves without a word is found out by the next ring", async () => {
  const unregistered = pushService.told("unregister");
  await firefox.click("#leave");
  await firefox.shows("#subscribe-status", /does not know yet/);
  await unregistered;
  assert.equal((await subscriptions()).length, 1);
  await ring("Is anybody there?", "dead");
  await firefox.shows("#jobs", /this subscription is gone/);
  assert.equal(pushService.posts.length, 2);
  await firefox.screenshot("3-dead");
});

test("who subscribes again is rung again, and who unsubscribes is rung no more", async () => {
  await subscribe();
  const acknowledged = pushService.told("ack");
  await ring("Back again.", "delivered");
  assert.equal((await acknowledged).code, DELIVERED);
  await firefox.shows("#arrivals", /Back again/);
  const unregistered = pushService.told("unregister");
  await firefox.click("#unsubscribe");
  await firefox.shows("#subscribe-status", /^Unsubscribed/);
  await unregistered;
  assert.deepEqual([...pushService.channels.keys()], []);
  const posted = pushService.posts.length;
  await firefox.click("#ring");
  await firefox.shows("#ring-status", /refused/);
  assert.equal(pushService.posts.length, posted);
  await firefox.screenshot("4-unsubscribed");
});
