/**
 * Which server a request is for. The page may send to the server that it came from and to no other (its
 * Content-Security-Policy says so): for any other it only shows what one would send.
 * @module
 */

const NEARBY = [
  /^localhost$/,
  /\.(local|localhost|test)$/,
  /^(127|10)\.\d+\.\d+\.\d+$/,
  /^(192\.168|169\.254|172\.(1[6-9]|2\d|3[01]))\.\d+\.\d+$/,
  /^\[(::1|f[cd]..:.*|fe[89ab].:.*)\]$/,
];

/** Whether a host of this name is this computer, or can be reached only from nearby. */
export const isNearby = (hostname) => NEARBY.some((pattern) => pattern.test(hostname.toLowerCase()));

/** Tells of changes by the event `change`. */
export class Servers extends EventTarget {
  /** @param {Array<{url: string, description: string, variables?: object}>} described */
  constructor(described, { origin, hostname }) {
    super();
    const own = isNearby(hostname) ? "Development" : "Production";
    this.all = described.map(({ url, description: name, variables = {} }) => ({
      name,
      isOwn: name === own,
      isProduction: name === "Production",
      url: name === own ? origin : url,
      variables:
        name === own
          ? []
          : Object.entries(variables).map(([name, { default: value, description }]) => ({ name, value, description })),
    }));
    this.picked = this.all.find((server) => server.isOwn);
  }

  pick(name) {
    this.picked = this.all.find((server) => server.name === name);
    this.dispatchEvent(new Event("change"));
  }

  /** Changes a variable of the picked server's URL. */
  fill(variable, value) {
    variable.value = value.trim();
    this.dispatchEvent(new Event("change"));
  }

  /** The picked server's URL, its variables filled in. */
  get url() {
    const { url, variables } = this.picked;
    return variables.reduce((filled, { name, value }) => filled.replace(`{${name}}`, (mark) => value || mark), url);
  }
}
