/**
 * Whether a push service would believe that a request is from whom the browser subscribed with (RFC 8292).
 */

import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";

const DAY = 86_400;

/** The public key (base64url of the uncompressed point) as node:crypto takes it. */
function publicKey(text) {
  const point = Buffer.from(text, "base64url");
  assert.deepEqual([point.length, point[0]], [65, 4]);
  const coordinate = (start) => point.subarray(start, start + 32).toString("base64url");
  return createPublicKey({ format: "jwk", key: { kty: "EC", crv: "P-256", x: coordinate(1), y: coordinate(33) } });
}

/** Checks `Authorization` for a request to `origin` whose subscription was made with `key`. */
export function isVouchedFor(authorization, origin, key) {
  const [, token, named] = /^vapid t=([\w-]+\.[\w-]+\.[\w-]+), ?k=([\w-]+)$/.exec(authorization) ?? [];
  assert.equal(named, key, "it names the key that the browser subscribed with");
  const [header, claims, signature] = token.split(".");
  const read = (part) => JSON.parse(Buffer.from(part, "base64url"));
  assert.equal(read(header).alg, "ES256");
  const signer = { key: publicKey(key), dsaEncoding: "ieee-p1363" };
  const isRight = verify("sha256", `${header}.${claims}`, signer, Buffer.from(signature, "base64url"));
  assert.ok(isRight, "the signature is right");
  const { aud, exp, sub } = read(claims);
  const left = exp - Date.now() / 1000;
  assert.equal(aud, origin);
  assert.ok(left > 0 && left <= DAY, `it is good for ${left} seconds`);
  assert.match(sub, /^(mailto:|https:\/\/)./);
}
