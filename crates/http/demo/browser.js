/**
 * What the browser does: the service worker, the permission, and the subscription with its push service.
 * @module
 */

import { Trouble } from "./api.js";

const WORKER = "/demo/worker.js";

/** Throws what a browser lacks that cannot be rung. */
export function checkSupport() {
  if (!isSecureContext) {
    throw new Trouble("Browsers are rung for pages from https or their own computer only: open this one as localhost.");
  }
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) {
    throw new Trouble(
      "This browser has no Web Push here. Private windows have none, and on iPhones only pages on the home screen do.",
    );
  }
}

/** Registers the service worker, and waits until it runs. */
async function workerRegistration() {
  const registration = await navigator.serviceWorker.register(WORKER);
  const worker = registration.installing ?? registration.waiting ?? registration.active;
  if (worker.state !== "activated") {
    await new Promise((resolve, reject) => {
      worker.addEventListener("statechange", () => {
        if (worker.state === "activated") resolve();
        if (worker.state === "redundant") reject(new Trouble("The browser refused the service worker."));
      });
    });
  }
  return registration;
}

/** Asks whether notifications may be shown. Must follow a press of a button, or browsers do not ask. */
export async function askPermission() {
  const permission = await Notification.requestPermission();
  if (permission === "denied") {
    throw new Trouble(
      "Notifications are blocked here. Allow them for this page, beside its address, and subscribe again.",
    );
  }
  if (permission !== "granted") {
    throw new Trouble("The browser's question was not answered. Subscribe again, and allow notifications.");
  }
}

/** The subscription of this browser, if it has one. */
export async function presentSubscription() {
  const registration = await navigator.serviceWorker.getRegistration(WORKER);
  return registration?.pushManager.getSubscription();
}

/** Subscribes this browser for messages that are signed by this key (base64url). */
export async function subscribe(publicKey) {
  const { pushManager } = await workerRegistration();
  const options = { userVisibleOnly: true, applicationServerKey: bytesOf(publicKey) };
  try {
    return await pushManager.subscribe(options);
  } catch (error) {
    // The subscription that it has is for another key, of another Doorbell at this address.
    const earlier = error.name === "InvalidStateError" && (await pushManager.getSubscription());
    if (!earlier) throw new Trouble(`The browser could not subscribe with its push service (${error.message}).`);
    await earlier.unsubscribe();
    return pushManager.subscribe(options);
  }
}

const bytesOf = (base64url) =>
  Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

/** Calls back with every message that the service worker has shown. */
export function onShown(listener) {
  navigator.serviceWorker?.addEventListener("message", ({ data }) => listener(data));
  navigator.serviceWorker?.startMessages();
}
