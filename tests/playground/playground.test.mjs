/**
 * What a visitor does with the playground, from the first look to a request in each dialect.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

import { signIn } from "./browser.mjs";
import { startSite } from "./site.mjs";

const run = promisify(execFile);

const site = startSite();

test("the root leads to the page, and the page shows every operation", async () => {
  const visit = await site.visit({ path: "/" });
  const { page } = visit;
  assert.equal(new URL(page.url()).pathname, "/docs");
  const document = await (await fetch(`${site.origin}/openapi.json`)).json();
  const operations = Object.values(document.paths).flatMap((item) => Object.values(item));
  const ids = operations.map(({ operationId }) => operationId);
  const links = await page.locator("[data-operation]").evaluateAll((all) => all.map((link) => link.dataset.operation));
  assert.deepEqual(links.toSorted(), ids.toSorted());
  assert.equal(await page.locator("#server").inputValue(), "Development");
  await visit.fits();
  await visit.isAccessible();
  await visit.screenshot("overview-light");
  // Each of them can be shown: whatever the document says of it, the page has words for.
  const texts = await page.evaluate(async (ids) => {
    const shown = [];
    for (const id of ids) {
      const changed = new Promise((resolve) => addEventListener("hashchange", resolve, { once: true }));
      location.hash = id;
      await changed;
      shown.push(document.querySelector("main").textContent);
    }
    return shown;
  }, ids);
  for (const [index, id] of ids.entries()) {
    assert.ok(texts[index].includes(id), id);
    assert.doesNotMatch(texts[index], /undefined|\[object|NaN/, id);
  }
  await visit.end();
});

test("signing in by the forms, forgetting, and pasting the token", async () => {
  const visit = await site.visit();
  const { page } = visit;
  const token = await signIn(visit, "5551110001");
  const userId = await page.locator("#user-id").inputValue();
  assert.match(userId, /^[0-9a-f-]{36}$/);
  assert.match(await visit.text("#credentials-state"), /^Signed in as/);
  await visit.screenshot("signed-in");
  await page.reload();
  await page.locator("main h1").waitFor();
  assert.equal(await page.locator("#access-token").inputValue(), token);

  await page.locator("#forget").click();
  assert.equal(await page.locator("#access-token").inputValue(), "");
  assert.equal(await page.locator("#user-id").inputValue(), "");
  await visit.open("getMe");
  await visit.send(401);

  await page.locator("#access-token").fill(token);
  assert.equal(await page.locator("#user-id").inputValue(), userId);
  await visit.send(200);
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  await page.locator("#keep").check();
  assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length]), [1, 0]);
  await visit.end(/401/);
});

test("the refresh token is handed on, and the new access token taken over", async () => {
  const visit = await site.visit();
  await signIn(visit, "5551110002");
  // Two access tokens of one second are one text: without the first, the second is seen to come.
  await visit.page.locator("#access-token").fill("");
  await visit.open("refreshTokens");
  const { accessToken } = await visit.send(200);
  assert.equal(await visit.page.locator("#access-token").inputValue(), accessToken);
  assert.match(await visit.text("#answer-notices"), /access token is in the credentials/);
  // Once more, by the next token: what is sent is what the form shows.
  const next = await visit.page.locator("#request-body").inputValue();
  assert.match(await visit.text("#curl"), new RegExp(JSON.parse(next).refreshToken));
  await visit.send(200);
  await visit.end();
});

test("an operation of each dialect answers through its form", async () => {
  const visit = await site.visit();
  await signIn(visit, "5551110003");
  await visit.open("registerDeviceToken");
  assert.deepEqual((await visit.send(200)).data, { success: true });
  await visit.isAccessible();
  await visit.screenshot("answer-allmine");
  await visit.open("createPushToken");
  assert.equal((await visit.send(200)).success, true);
  await visit.screenshot("answer-rocketchat");
  await visit.open("addDevice");
  assert.equal((await visit.send(200)).data.device.deviceId, "device-a81f92");
  await visit.screenshot("answer-easyflow");
  await visit.open("listDevices");
  await visit.page.locator("#parameter-limit").fill("1");
  assert.equal((await visit.send(200)).data.docs.length, 1);
  await visit.open("listSubscriptions");
  assert.deepEqual(await visit.send(200), []);
  await visit.screenshot("answer-ocore");
  await visit.open("removeDeviceToken");
  assert.equal(await visit.page.locator("#parameter-token").inputValue(), "sample");
  await visit.send(200);
  await visit.end();
});

test("messages are sent by an API key, which is kept apart from the access token", async () => {
  const visit = await site.visit();
  const { page } = visit;
  const token = await signIn(visit, "5551110009");
  await visit.open("sendMessage");
  assert.match(await visit.text("form"), /doorbell apikey create NAME/);
  const key = await site.apiKey("playground");
  await page.locator("#api-key").fill(`Bearer ${key}`);
  assert.equal(await page.locator("#api-key").inputValue(), key);
  assert.doesNotMatch(await visit.text("form"), /doorbell apikey create NAME/);
  assert.match(await visit.text("#curl"), /Authorization: Bearer \$API_KEY/);
  const body = { to: { phones: ["+905551110009"] }, notification: { title: "Ring" } };
  await page.locator("#request-body").fill(JSON.stringify(body));
  const { id, jobs } = await visit.send(202);
  assert.equal(jobs, 0);
  await visit.open("getMessage");
  await page.locator("#parameter-id").fill(id);
  assert.deepEqual((await visit.send(200)).jobs, []);
  await visit.isAccessible();
  await visit.screenshot("messages");
  assert.equal(await page.locator("#access-token").inputValue(), token);
  await page.locator("#forget").click();
  assert.equal(await page.locator("#api-key").inputValue(), "");
  await visit.end();
});

test("what is wrong with the form is said, and sent only if the visitor insists", async () => {
  const visit = await site.visit({ path: "/docs#sendOtp" });
  await visit.page.locator("#request-body").fill("{");
  await visit.page.locator("#send").click();
  assert.match(await visit.text("#answer-status"), /the body is not JSON/);
  assert.ok(!visit.requests.includes("POST /api/v1/auth/send-otp"));
  await visit.send(400);
  await visit.open("endSession");
  await visit.page.locator("#parameter-id").fill("");
  await visit.page.locator("#send").click();
  assert.match(await visit.text("#answer-status"), /id is empty/);
  await visit.end(/400/);
});

test("the curl command does what the form does, quotes included", async () => {
  const visit = await site.visit();
  const { page } = visit;
  const TOKEN = await signIn(visit, "5551110004");
  await visit.open("registerDeviceToken");
  const body = `{"platform": "ios", "deviceId": "it's a \\"phone\\" for $5, \`ok\`", "token": "@t"}`;
  await page.locator("#request-body").fill(body);
  const command = await visit.text("#curl");
  assert.ok(command.includes('-H "Authorization: Bearer $TOKEN"'), command);
  assert.ok(!command.includes(TOKEN));
  const { stdout } = await run("sh", ["-c", command], { env: { ...process.env, TOKEN } });
  assert.deepEqual(JSON.parse(stdout).data, { success: true });
  await page.locator("#show-token").check();
  assert.ok((await visit.text("#curl")).includes(`-H 'Authorization: Bearer ${TOKEN}'`));

  await visit.open("listDevices");
  const listed = await run("sh", ["-c", await visit.text("#curl")]);
  assert.equal(JSON.parse(listed.stdout).data.docs[0].deviceId, JSON.parse(body).deviceId);
  await visit.end();
});

test("the body's TypeScript type is shown with all that it refers to", async () => {
  const visit = await site.visit({ path: "/docs#addDevice" });
  const type = await visit.text("#request-type");
  for (const line of [
    "export type EasyflowAddDeviceRequest = {",
    "  platform: Platform;",
    "} & ({",
    "  mobileSettings: EasyflowMobileSettingsRequest;",
    "} | {",
    "export interface EasyflowMobileSettingsRequest {",
    "  appVersion?: string | null;",
  ]) {
    assert.ok(type.split("\n").includes(line), `${line}\n${type}`);
  }
  assert.match(type, /^export type Platform = ("\w+" \| ){2}"\w+";$/m);
  await visit.end();
});
