// Against a real server at DOORBELL_URL: signs in, then one operation of each dialect.

import assert from "node:assert/strict";
import { test } from "node:test";
import { backEnd, doorbell, type SignedIn } from "../src/index.js";

const url = process.env["DOORBELL_URL"];
assert(url, "DOORBELL_URL names the server");

test("one sign-in serves every dialect", async () => {
  let by: SignedIn | undefined;
  const api = doorbell(url, () => by);

  const phone = { countryCode: "90", phoneNumber: "5551234567" };
  const sent = await api.POST("/api/v1/auth/send-otp", { body: phone });
  assert(sent.data?.code, "in development the code is answered");
  const verified = await api.POST("/api/v1/auth/verify-otp", { body: { ...phone, code: sent.data.code } });
  assert(verified.data);
  by = { accessToken: verified.data.accessToken };
  const valid = await api.GET("/api/v1/auth/validate-token");
  assert(valid.data);
  by = { ...by, userId: valid.data.data.userId };

  const registered = await api.POST("/api/v1/notifications/device-token", {
    body: { platform: "ios", deviceId: "iphone-14-pro", token: "sample", timezone: "Europe/Istanbul" },
  });
  assert.equal(registered.data?.data.success, true);

  const rung = await api.POST("/api/v1/push.token", {
    body: { id: "iphone-14-pro", type: "apn", value: "sample", appName: "MyApp" },
  });
  assert.equal(rung.data?.result.appName, "MyApp");

  const devices = await api.GET("/notifications/devices", {
    params: { header: { "x-fingerprint-id": "fp-4421" }, query: { limit: 10 } },
  });
  assert.equal(devices.data?.data.docs[0]?.deviceId, "iphone-14-pro");

  const subscriptions = await api.GET("/push/subscriptions");
  assert.deepEqual(subscriptions.data, []);
});

test("a back end sends a message and sees what became of it", async () => {
  const api = backEnd(url, process.env["DOORBELL_API_KEY"] ?? "");
  const body = { to: { phones: ["+905551234568"] }, notification: { title: "Ring" }, data: { order: 4421 } };
  const header = { "Idempotency-Key": `order-${Date.now()}` };
  const sent = await api.POST("/v1/messages", { body, params: { header } });
  assert.equal(sent.data?.jobs, 0, "nobody has signed in with that number");
  const again = await api.POST("/v1/messages", { body, params: { header } });
  assert.deepEqual(again.data, sent.data);
  const report = await api.GET("/v1/messages/{id}", { params: { path: { id: sent.data.id } } });
  assert.deepEqual(report.data?.jobs, []);
  const refused = await backEnd(url, "dbk_none").POST("/v1/messages", { body });
  assert.equal(refused.error?.code, "unauthorized");
});

test("an error is typed too", async () => {
  const api = doorbell(url);
  const refused = await api.GET("/push/subscriptions");
  assert.equal(refused.response.status, 401);
  assert.equal(refused.error?.code, "unauthorized");
});
