/**
 * The playground: reads /openapi.json of the server that it came from, and shows the operation that the address names
 * after `#`.
 * @module
 */

import { Credentials } from "./credentials.js";
import { showCredentials } from "./credentials-panel.js";
import { Drafts } from "./drafts.js";
import { byId, element } from "./element.js";
import { markCurrent, showNavigation } from "./navigation.js";
import { Description } from "./openapi.js";
import { operationView } from "./operation.js";
import { overview } from "./overview.js";
import { showServers } from "./server-picker.js";
import { Servers } from "./servers.js";

const DOCUMENT = "/openapi.json";

const main = byId("main");

/** Ends what the operation shown before was listening to. */
let left = new AbortController();

function show(page) {
  const id = location.hash.slice(1);
  const operation = page.description.operation(id);
  left.abort();
  left = new AbortController();
  main.replaceChildren(...(operation ? operationView(operation, page, left.signal) : overview(page.description)));
  document.title = `${operation?.summary ?? "Playground"} · ${page.description.info.title}`;
  markCurrent(operation?.id);
  scrollTo(0, 0);
}

/** Shows another operation, and takes keyboard and screen reader along. */
function go(page) {
  show(page);
  main.querySelector("h1").focus({ preventScroll: true });
}

function start(json) {
  const description = new Description(json);
  const page = {
    description,
    servers: new Servers(description.servers, location),
    credentials: new Credentials(),
    drafts: new Drafts(),
  };
  byId("version").textContent = description.info.version;
  showServers(page.servers);
  showCredentials(page.credentials);
  showNavigation(description);
  show(page);
  addEventListener("hashchange", () => go(page));
}

// The address after `#` names an operation: the way past the navigation must not change it.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});

try {
  const response = await fetch(DOCUMENT);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  start(await response.json());
} catch (error) {
  main.replaceChildren(
    element("h1", {}, "The document cannot be shown"),
    element("p", {}, element("a", { href: DOCUMENT }, DOCUMENT), ` could not be read: ${error.message}`),
  );
}
