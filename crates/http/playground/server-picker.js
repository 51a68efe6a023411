/**
 * Picking a server, and the warning that goes with Production.
 * @module
 */

import { byId, element } from "./element.js";

/** Ties the picker of index.html to the servers. */
export function showServers(servers) {
  const picker = byId("server");
  picker.append(...servers.all.map(({ name }) => element("option", {}, name)));
  picker.value = servers.picked.name;
  picker.addEventListener("change", () => {
    servers.pick(picker.value);
    byId("server-variables").replaceChildren(...servers.picked.variables.map((variable) => field(servers, variable)));
    warn(servers.picked);
  });
  servers.addEventListener("change", () => showUrl(servers));
  showUrl(servers);
  warn(servers.picked);
}

function field(servers, variable) {
  const id = `server-variable-${variable.name}`;
  const input = element("input", {
    id,
    type: "text",
    value: variable.value,
    title: variable.description,
    spellcheck: "false",
    on: { input: () => servers.fill(variable, input.value) },
  });
  return element("span", {}, element("label", { for: id }, variable.name), input);
}

function showUrl({ url, picked }) {
  const note = picked.isOwn ? " this page’s own server" : " another server: for reading only";
  byId("server-url").replaceChildren(element("code", {}, url), note);
}

/** Written anew at each picking, so that it is read out each time. */
function warn({ isProduction, isOwn }) {
  const what = isOwn ? "you send from here" : "you run against it";
  byId("production-warning").hidden = !isProduction;
  byId("production-warning").replaceChildren(
    ...(isProduction
      ? [element("strong", {}, "Production."), ` Real data is affected by what ${what}. Use Development for tests.`]
      : []),
  );
}
