/**
 * The service worker: shows what is rung, decrypted by the browser, and tells the pages that are open.
 */

const PAGE = "/demo";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("push", (event) => event.waitUntil(show(read(event.data))));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.url));
});

/** The message, or an empty one: a browser that is rung has to show something. */
function read(data) {
  try {
    return data.json() ?? {};
  } catch {
    return {};
  }
}

async function show({ messageId, notification, data }) {
  const { title = "Doorbell", body = "", image, url, badge } = notification ?? {};
  await self.registration.showNotification(title, {
    body,
    image: safe(image),
    // A message may come twice: the second then takes the place of the first.
    tag: messageId,
    data: { url: safe(url), more: data },
  });
  if (Number.isInteger(badge)) await self.navigator.setAppBadge?.(badge).catch(() => {});
  for (const page of await self.clients.matchAll({ type: "window", includeUncontrolled: true })) {
    page.postMessage({ messageId, title, body });
  }
}

/** Goes where a notification leads, or to the page. */
async function open(url) {
  if (url) return self.clients.openWindow(url);
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find((page) => new URL(page.url).pathname === PAGE);
  return page ? page.focus() : self.clients.openWindow(PAGE);
}

/** An address that is of this server, or by https; else nothing. */
function safe(address) {
  if (typeof address !== "string") return undefined;
  try {
    const url = new URL(address, self.location.origin);
    return url.origin === self.location.origin || url.protocol === "https:" ? url.href : undefined;
  } catch {
    return undefined;
  }
}
