/**
 * A server and a browser for the tests of one file.
 */

import { after, before } from "node:test";

import { launch, Visit } from "./browser.mjs";
import { startDoorbell } from "./doorbell.mjs";

/** Starts both before the tests, and ends both after them. */
export function startSite() {
  let doorbell;
  let browser;
  before(async () => {
    doorbell = await startDoorbell();
    browser = await launch(doorbell.origin);
  });
  after(async () => {
    await browser?.close();
    await doorbell?.stop();
  });
  return {
    get origin() {
      return doorbell.origin;
    },
    apiKey: (name) => doorbell.apiKey(name),
    /** A visit that has the page before it, or another path of the server. */
    async visit({ origin = doorbell.origin, path = "/docs", ...options } = {}) {
      const visit = await Visit.begin(browser, origin, options);
      await visit.page.goto(origin + path);
      await visit.page.locator("main h1").waitFor();
      return visit;
    },
  };
}
