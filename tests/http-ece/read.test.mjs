// Messages that Doorbell encrypts, read by http_ece (npm), and its names at push services, checked by Node.js: neither shares code with it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createECDH, createPublicKey, randomBytes, verify } from "node:crypto";
import { test } from "node:test";
import ece from "http_ece";

const program = process.env.ENCRYPT;

function browser() {
  const pair = createECDH("prime256v1");
  pair.generateKeys();
  return { pair, auth: randomBytes(16) };
}

/** Encrypts each message for its browser: the bodies, and the headers `Authorization`. */
function encrypt(messages) {
  const lines = messages.map(({ to, plaintext }) =>
    [to.pair.getPublicKey(), to.auth, plaintext].map((octets) => octets.toString("base64url")).join(" "),
  );
  const ran = spawnSync(program, { input: lines.join("\n"), encoding: "utf8", maxBuffer: 1 << 26 });
  assert.equal(ran.status, 0, ran.stderr ?? ran.error?.message);
  return ran.stdout
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [body, ...authorization] = line.split(" ");
      return { body: Buffer.from(body, "base64url"), authorization: authorization.join(" ") };
    });
}

const read = (to, body) => ece.decrypt(body, { version: "aes128gcm", privateKey: to.pair, authSecret: to.auth });

test("http_ece reads messages of every length", () => {
  const lengths = [0, 1, 2, 127, 128, 129, 255, 256, 300, 511, 512, 1023, 1024, 1025, 2047, 2048, 2049, 3992, 3993];
  const messages = lengths.map((length) => ({ to: browser(), plaintext: randomBytes(length) }));
  const encrypted = encrypt(messages);
  assert.equal(encrypted.length, lengths.length);
  encrypted.forEach(({ body }, n) => {
    assert.ok(body.length <= 4096);
    assert.deepEqual(read(messages[n].to, body), messages[n].plaintext, `${lengths[n]} octets`);
  });
});

test("http_ece reads no message for another browser, nor a changed one", () => {
  const to = browser();
  const [{ body }] = encrypt([{ to, plaintext: Buffer.from("Your table is ready") }]);
  assert.equal(read(to, body).toString(), "Your table is ready");
  assert.throws(() => read(browser(), body));
  body[body.length - 1] ^= 1;
  assert.throws(() => read(to, body));
});

test("Node.js takes the token that says who sends", () => {
  const [{ authorization }] = encrypt([{ to: browser(), plaintext: Buffer.from("x") }]);
  const [, token, key] = authorization.match(/^vapid t=([\w.-]+), k=([\w-]{87})$/);
  const point = Buffer.from(key, "base64url");
  const jwk = {
    kty: "EC",
    crv: "P-256",
    x: point.subarray(1, 33).toString("base64url"),
    y: point.subarray(33).toString("base64url"),
  };
  const [head, claims, signature] = token.split(".");
  const publicKey = { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
  const signed = Buffer.from(`${head}.${claims}`);
  assert.ok(verify("sha256", signed, publicKey, Buffer.from(signature, "base64url")));
  const { aud, exp, sub } = JSON.parse(Buffer.from(claims, "base64url"));
  assert.deepEqual({ aud, exp, sub }, { aud: "https://push.example.com", exp: 12 * 3600, sub: "mailto:push@example.com" });
});
