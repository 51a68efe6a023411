/**
 * The real binary on a fresh folder.
 */

import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Starts `doorbell serve`; `stop` ends it and removes its folder, `apiKey` makes a key by which a back end sends messages. */
export async function startDoorbell() {
  const binary = process.env.DOORBELL_BIN;
  if (!binary) throw new Error("DOORBELL_BIN must name the binary: DOORBELL_BIN=target/ci/doorbell npm test");
  const folder = await mkdtemp(join(tmpdir(), "doorbell-playground-"));
  const env = { PATH: process.env.PATH, DATABASE_URL: `sqlite://${folder}/doorbell.db`, DOORBELL_LOG: "warn" };
  const child = spawn(binary, ["serve", "--listen", "127.0.0.1:0"], { env, stdio: ["ignore", "pipe", "inherit"] });
  const apiKey = async (name) => (await run(binary, ["apikey", "create", name], { env })).stdout.trim().split(" ").at(-1);
  const ended = new Promise((resolve) => child.once("close", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return { origin: await listening(child), stop, apiKey };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Where it listens, as it says itself. Its later lines are read, too, so that it can go on printing. */
function listening(child) {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    createInterface({ input: child.stdout })
      .on("line", (line) => {
        const origin = /listening on (http:\/\/\S+)/.exec(line)?.[1];
        if (origin) resolve(origin);
      })
      .once("close", () => reject(new Error("doorbell ended before it listened")));
  });
}
