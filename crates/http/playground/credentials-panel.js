/**
 * The panel in which the credentials are seen and changed.
 * @module
 */

import { announce, byId } from "./element.js";

const FIELDS = {
  "access-token": "accessToken",
  "user-id": "userId",
  fingerprint: "fingerprint",
  "api-key": "apiKey",
};

/** Ties the panel of index.html to the credentials. */
export function showCredentials(credentials) {
  // On a phone it would push the operation out of sight; its state is in the line that stays.
  byId("credentials").open = matchMedia("(min-width: 60rem)").matches;
  for (const [id, field] of Object.entries(FIELDS)) {
    byId(id).addEventListener("input", () => credentials.change({ [field]: byId(id).value }));
  }
  byId("keep").addEventListener("change", () => credentials.keep(byId("keep").checked));
  byId("forget").addEventListener("click", () => {
    credentials.forget();
    announce("The credentials are forgotten.");
  });
  credentials.addEventListener("change", () => show(credentials));
  show(credentials);
}

function show(credentials) {
  for (const [id, field] of Object.entries(FIELDS)) {
    // The field that is being typed into keeps its cursor.
    if (byId(id).value !== credentials[field]) byId(id).value = credentials[field];
  }
  const { accessToken, userId, isKept } = credentials;
  const signedIn = userId ? `Signed in as ${userId.slice(0, 8)}…` : "An access token, but no user id";
  byId("keep").checked = isKept;
  byId("credentials-state").textContent = accessToken ? signedIn : "Not signed in";
  byId("credentials-state").className = accessToken ? "signed-in" : "quiet";
}
