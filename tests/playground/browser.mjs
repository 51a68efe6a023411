/**
 * Chromium with the network closed, and visits to the playground that note whatever should not happen there.
 */

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const axe = createRequire(import.meta.url)("axe-core");

const SCREENSHOTS =
  process.env.DOORBELL_SCREENSHOTS || fileURLToPath(new URL("../../ci-output/playground", import.meta.url));

/** The name under which the server is taken for one in production: it leads to this computer. */
export const PRODUCTION_HOST = "doorbell.example.com";

export async function launch(origin) {
  const { port } = new URL(origin);
  await mkdir(SCREENSHOTS, { recursive: true });
  return chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      `--host-resolver-rules=MAP ${PRODUCTION_HOST} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`,
      // Stands in for the certificate that the production host would have.
      `--unsafely-treat-insecure-origin-as-secure=http://${PRODUCTION_HOST}:${port}`,
    ],
  });
}

/** One browser with one page, fresh storage, and a list of all that went wrong. */
export class Visit {
  problems = [];
  requests = [];

  static async begin(browser, origin, options = {}) {
    const visit = new Visit();
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    const page = await context.newPage();
    Object.assign(visit, { context, page, origin });
    page.setDefaultTimeout(120_000);
    page.on("request", (request) => {
      visit.requests.push(`${request.method()} ${new URL(request.url()).pathname}`);
      if (new URL(request.url()).origin !== origin) visit.problems.push(`a request to ${request.url()}`);
    });
    page.on("pageerror", (error) => visit.problems.push(`an error: ${error.message}`));
    page.on("console", (message) => {
      // Violations of the Content-Security-Policy are among them.
      if (message.type() === "error") visit.problems.push(message.text());
    });
    return visit;
  }

  /** Ends the visit; nothing went wrong but what was expected. */
  async end(...expected) {
    await this.context.close();
    const problems = this.problems.filter((problem) => !expected.some((pattern) => pattern.test(problem)));
    assert.deepEqual(problems, []);
  }

  /** Opens an operation by its link in the list. */
  async open(id) {
    const link = this.page.locator(`[data-operation="${id}"]`);
    if (!(await link.isVisible())) await this.page.locator("#menu").click();
    await link.click();
    await this.page.locator(`main header a[href="#${id}"]`).waitFor();
  }

  /** Sends the form, and gives the answer's body when its status has come. */
  async send(status) {
    await this.page.locator("#send").click();
    return this.answered(status);
  }

  async answered(status) {
    await this.page.locator("#answer-status", { hasText: String(status) }).waitFor();
    const text = await this.page.locator("#answer-body").textContent();
    return text && JSON.parse(text);
  }

  text(selector) {
    return this.page.locator(selector).textContent();
  }

  async screenshot(name, options = {}) {
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), ...options });
  }

  /** Nothing is wider than the screen. */
  async fits() {
    const beyond = await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(beyond <= 0, `${beyond} px wider than the screen`);
  }

  /** No serious violation of WCAG 2.2 AA that a machine can find. */
  async isAccessible() {
    await this.page.evaluate(axe.source);
    const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const { violations } = await this.page.evaluate((runOnly) => window.axe.run({ runOnly }), runOnly);
    const serious = violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
    assert.deepEqual(serious, []);
  }
}

/** Signs in by the forms, with a phone number of one's own, and gives the access token. */
export async function signIn(visit, phoneNumber) {
  const { page } = visit;
  await visit.open("sendOtp");
  await page.locator("#request-body").fill(JSON.stringify({ countryCode: "90", phoneNumber }));
  const { code } = await visit.send(200);
  await page.locator("#answer-notices a").click();
  const filled = JSON.parse(await page.locator("#request-body").inputValue());
  assert.deepEqual([filled.countryCode, filled.phoneNumber, filled.code], ["+90", phoneNumber, code]);
  const { accessToken } = await visit.send(200);
  assert.equal(await page.locator("#access-token").inputValue(), accessToken);
  return accessToken;
}
