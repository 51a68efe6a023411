/**
 * The demo: signs in, subscribes this browser and rings it, by the same operations that any client uses.
 * @module
 */

import { ask, Trouble } from "./api.js";
import { askPermission, checkSupport, onShown, presentSubscription, subscribe } from "./browser.js";
import { Credentials } from "./credentials.js";
import { byId } from "./element.js";
import { follow, noteArrival } from "./ring.js";

const credentials = new Credentials();

/** This browser's subscription, if there is one and it can have any. */
let subscription;
let canSubscribe = false;

function say(section, text, kind = "") {
  const status = byId(`${section}-status`);
  status.className = kind;
  status.textContent = text;
}

/** Which buttons may be pressed. */
function update() {
  const signedIn = credentials.accessToken !== "";
  byId("subscribe").disabled = !(signedIn && canSubscribe);
  byId("unsubscribe").disabled = byId("leave").disabled = !(signedIn && subscription);
  byId("ring").disabled = !signedIn;
}

/** Does what a button says, and tells in its section what came of it; not twice at once. */
async function act(section, button, work) {
  if (button.ariaDisabled === "true") return;
  button.ariaDisabled = "true";
  say(section, "…");
  try {
    say(section, await work());
  } catch (error) {
    if (error.status === 401) {
      credentials.change({ accessToken: "" });
      say("sign-in", "");
    }
    say(section, error instanceof Trouble ? error.message : `The browser failed (${error.message}).`, "failure");
  } finally {
    button.ariaDisabled = null;
    update();
  }
}

const phone = () => ({ countryCode: byId("country-code").value, phoneNumber: byId("phone-number").value });

async function sendCode() {
  const { code } = await ask("POST", "/api/v1/auth/send-otp", { body: phone() });
  byId("code-form").hidden = false;
  byId("code").value = code;
  byId("code").focus();
  return `The code is ${code}. That it is answered is for development; else it goes to the phone alone.`;
}

async function signIn() {
  const body = { ...phone(), code: byId("code").value };
  const { accessToken } = await ask("POST", "/api/v1/auth/verify-otp", { body });
  credentials.change({ accessToken });
  byId("code-form").hidden = true;
  update();
  byId(canSubscribe ? "subscribe" : "ring").focus();
  return signedInAs();
}

const signedInAs = () => `Signed in as user ${credentials.userId}.`;

async function subscribeHere() {
  const token = credentials.accessToken;
  await askPermission();
  const { publicKey } = await ask("GET", "/push/vapid-key", { token });
  subscription = await subscribe(publicKey);
  const body = { ...subscription.toJSON(), deviceName: "Demo", userAgent: navigator.userAgent };
  await ask("POST", "/push/subscribe", { token, body });
  return `Subscribed with ${new URL(subscription.endpoint).host}.`;
}

async function unsubscribe() {
  const { endpoint } = subscription;
  // Doorbell first: in between it must not ring what is there no more.
  await ask("DELETE", "/push/subscribe", { token: credentials.accessToken, body: { endpoint } });
  await leave();
  byId("subscribe").focus();
  return "Unsubscribed, here and with Doorbell.";
}

async function leave() {
  await subscription.unsubscribe();
  subscription = undefined;
  byId("ring").focus();
  return "Unsubscribed here. Doorbell does not know yet.";
}

async function ring() {
  const token = credentials.accessToken;
  byId("jobs").replaceChildren();
  const { id, jobs } = await ask("POST", "/demo/ring", { token, body: { text: byId("text").value } });
  say("ring", `Accepted, with ${jobs === 1 ? "1 job" : `${jobs} jobs`}.`);
  await follow(id, token);
  return "Every job is over.";
}

const onSubmit = (form, listener) =>
  byId(form).addEventListener("submit", (event) => {
    event.preventDefault();
    listener();
  });
const onClick = (button, section, work) =>
  byId(button).addEventListener("click", ({ currentTarget }) => act(section, currentTarget, work));

async function start() {
  onSubmit("phone-form", () => act("sign-in", byId("send-code"), sendCode));
  onSubmit("code-form", () => act("sign-in", byId("sign-in"), signIn));
  onSubmit("ring-form", () => act("ring", byId("ring"), ring));
  onClick("subscribe", "subscribe", subscribeHere);
  onClick("unsubscribe", "subscribe", unsubscribe);
  onClick("leave", "subscribe", leave);
  onShown(noteArrival);
  if (credentials.accessToken) say("sign-in", signedInAs());
  try {
    checkSupport();
    canSubscribe = true;
    subscription = await presentSubscription();
    if (subscription) say("subscribe", `Subscribed with ${new URL(subscription.endpoint).host}.`);
  } catch (error) {
    say("subscribe", error.message, "failure");
  }
  update();
}

start();
