/**
 * What became of a ring: the states of its jobs as they pass, and the notification when it is there.
 * @module
 */

import { ask, Trouble } from "./api.js";
import { byId, element } from "./element.js";

/** How often it is asked, in milliseconds, and how many times. */
const INTERVAL = 200;
const MOST = 150;

const OPEN = ["pending", "sending", "retrying"];

const NAMES = { webpush: "A browser", fcm: "An Android phone", apns: "An iPhone" };

/** What a reason means to a visitor; those that are not here speak for themselves. */
const REASONS = {
  gone: "the push service says that this subscription is gone",
  removed: "the browser was unsubscribed before it was sent",
  suspect: "the push service has said that this subscription is gone",
  misconfigured: "the push service does not believe this server",
  throttled: "the push service asks to be left alone for a while",
  unreachable: "the push service cannot be reached",
  too_slow: "the push service did not answer in time",
};

/** Follows the jobs of a message until all are over, or for half a minute. */
export async function follow(id, token) {
  const jobs = new Map();
  for (let asked = 0; asked < MOST; asked++) {
    const report = await ask("GET", `/demo/rings/${id}`, { token });
    for (const job of report.jobs) note(jobs, job);
    if (report.jobs.every(({ state }) => !OPEN.includes(state))) return;
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
  throw new Trouble("It is still not over. The server goes on trying; this page has stopped looking.");
}

/** Shows a job's state, if it is another than before. */
function note(jobs, { id, provider, state, reason }) {
  if (!jobs.has(id)) {
    const states = element("ol", { class: "states" });
    const name = element("span", { class: "hint" }, NAMES[provider] ?? provider);
    byId("jobs").append(element("li", { "data-job": id }, name, states));
    jobs.set(id, { states });
  }
  const job = jobs.get(id);
  if (job.state === state) return;
  job.state = state;
  const why = reason && ` (${REASONS[reason] ?? reason.replaceAll("_", " ")})`;
  job.states.append(element("li", { class: state, "data-state": state }, state, why));
}

/** Shows that a notification was shown. */
export function noteArrival({ messageId, title, body }) {
  byId("arrivals").prepend(
    element("li", { "data-message": messageId }, "Shown: ", element("strong", {}, title), " ", element("q", {}, body)),
  );
}
