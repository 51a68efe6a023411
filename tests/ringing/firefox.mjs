/**
 * Firefox without a window, driven through Marionette: JSON over TCP, each message after its length
 * (firefox-source-docs.mozilla.org/testing/marionette/Protocol.html).
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const SCREENSHOTS =
  process.env.DOORBELL_SCREENSHOTS || fileURLToPath(new URL("../../ci-output/ringing", import.meta.url));

/** How long Firefox may take for its start, and the page for what is waited for, in milliseconds. */
const PATIENCE = 60_000;

/** How WebDriver writes a reference to an element. */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

const preferences = (pushService) => ({
  // Port 0: Firefox picks one, and writes it into its profile.
  "marionette.port": 0,
  "dom.push.serverURL": pushService,
  "dom.push.testing.allowInsecureServerURL": true,
  // Off for browsers under remote control.
  "dom.push.connection.enabled": true,
  // There is no desktop to show notifications on.
  "alerts.useSystemBackend": false,
  "permissions.default.desktop-notification": 1,
  // Nothing but this computer is talked to.
  "network.proxy.type": 1,
  "network.proxy.http": "127.0.0.1",
  "network.proxy.http_port": 9,
  "network.proxy.ssl": "127.0.0.1",
  "network.proxy.ssl_port": 9,
  "network.proxy.no_proxies_on": "127.0.0.1, localhost",
});

/** Starts Firefox with a profile of its own, whose push service is at `pushService` (ws://…). */
export async function startFirefox(pushService) {
  const folder = await mkdtemp(join(tmpdir(), "doorbell-firefox-"));
  const lines = Object.entries(preferences(pushService)).map(
    ([key, value]) => `user_pref(${JSON.stringify(key)}, ${JSON.stringify(value)});\n`,
  );
  await writeFile(join(folder, "user.js"), lines);
  const flags = ["--headless", "--marionette", "--no-remote", "--profile", folder, "about:blank"];
  const child = spawn(process.env.FIREFOX || "/usr/bin/firefox-esr", flags, {
    env: { PATH: process.env.PATH, HOME: folder, MOZ_CRASHREPORTER_DISABLE: "1" },
    // A group of its own, because Firefox is many processes.
    detached: true,
    stdio: "ignore",
  });
  const ended = once(child, "close");
  const kill = () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
  };
  process.once("exit", kill);
  const stop = async () => {
    kill();
    await ended;
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const marionette = await Marionette.connect(await activePort(join(folder, "MarionetteActivePort"), child));
    await marionette.send("WebDriver:NewSession");
    await mkdir(SCREENSHOTS, { recursive: true });
    return new Firefox(marionette, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The port that Firefox has written down. */
async function activePort(file, child) {
  for (const end = Date.now() + PATIENCE; Date.now() < end; await wait(50)) {
    if (child.exitCode !== null) throw new Error("Firefox ended as it started");
    const port = Number(await readFile(file, "utf8").catch(() => ""));
    if (port) return port;
  }
  throw new Error("Firefox does not listen");
}

/** A connection, on which one command follows the other. */
class Marionette {
  #socket;
  #received = Buffer.alloc(0);
  #awaited = new Map();
  #last = 0;

  static async connect(port) {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new Marionette(socket);
  }

  constructor(socket) {
    this.#socket = socket;
    socket.on("data", (data) => this.#receive(data));
    socket.on("close", () => this.#broken(new Error("Firefox hung up")));
    socket.on("error", (error) => this.#broken(error));
  }

  send(command, parameters = {}) {
    const id = ++this.#last;
    const text = JSON.stringify([0, id, command, parameters]);
    this.#socket.write(`${Buffer.byteLength(text)}:${text}`);
    return new Promise((resolve, reject) => this.#awaited.set(id, { command, resolve, reject }));
  }

  #receive(data) {
    this.#received = Buffer.concat([this.#received, data]);
    for (let colon; (colon = this.#received.indexOf(":")) > 0; ) {
      const end = colon + 1 + Number(this.#received.subarray(0, colon));
      if (this.#received.length < end) return;
      const message = JSON.parse(this.#received.subarray(colon + 1, end));
      this.#received = this.#received.subarray(end);
      // The greeting is no list.
      if (Array.isArray(message)) this.#answered(message);
    }
  }

  #answered([, id, error, result]) {
    const { command, resolve, reject } = this.#awaited.get(id);
    this.#awaited.delete(id);
    if (error) reject(new Error(`${command}: ${error.error}: ${error.message}`));
    else resolve(result);
  }

  #broken(error) {
    for (const { reject } of this.#awaited.values()) reject(error);
    this.#awaited.clear();
  }
}

/** What a visitor does and sees. */
class Firefox {
  #marionette;

  constructor(marionette, stop) {
    this.#marionette = marionette;
    this.stop = stop;
  }

  open(url) {
    return this.#marionette.send("WebDriver:Navigate", { url });
  }

  async click(selector) {
    await this.#marionette.send("WebDriver:ElementClick", { id: await this.#element(selector) });
  }

  async type(selector, text) {
    const id = await this.#element(selector);
    await this.#marionette.send("WebDriver:ElementClear", { id });
    await this.#marionette.send("WebDriver:ElementSendKeys", { id, text });
  }

  async #element(selector) {
    const { value } = await this.#marionette.send("WebDriver:FindElement", { using: "css selector", value: selector });
    return value[ELEMENT];
  }

  /** What a function gives in the page. It is sent as text, so it knows nothing but its arguments. */
  async evaluate(script, ...args) {
    const body = `return (${script})(...arguments)`;
    const { value } = await this.#marionette.send("WebDriver:ExecuteScript", { script: body, args, sandbox: null });
    return value;
  }

  text(selector) {
    return this.evaluate((selector) => document.querySelector(selector)?.textContent ?? "", selector);
  }

  /** Waits until the text of an element is like this, and gives it. */
  async shows(selector, pattern) {
    let text;
    for (const end = Date.now() + PATIENCE; Date.now() < end; await wait(50)) {
      text = await this.text(selector);
      if (pattern.test(text)) return text;
    }
    throw new Error(`${selector} is not like ${pattern}, but: ${text}`);
  }

  async screenshot(name) {
    const { value } = await this.#marionette.send("WebDriver:TakeScreenshot", { full: true });
    await writeFile(join(SCREENSHOTS, `${name}.png`), Buffer.from(value, "base64"));
  }
}
