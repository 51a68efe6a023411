/**
 * Who the visitor is, said once for all operations. It lives as long as the tab, or in the browser if the visitor wants
 * that.
 * @module
 */

const KEY = "doorbell.credentials";

/** Tells of changes by the event `change`. */
export class Credentials extends EventTarget {
  accessToken = "";
  userId = "";
  fingerprint = "";
  apiKey = "";
  isKept = false;

  constructor() {
    super();
    const kept = read("localStorage");
    this.isKept = kept !== null;
    Object.assign(this, kept ?? read("sessionStorage"));
    if (!this.fingerprint) this.change({ fingerprint: madeUp() });
  }

  /** Changes some of them. A new token that says whose it is brings its user's id along. */
  change(changes) {
    if (changes.apiKey !== undefined) changes = { ...changes, apiKey: bare(changes.apiKey) };
    if (changes.accessToken !== undefined) {
      const accessToken = bare(changes.accessToken);
      const userId = subjectOf(accessToken) ?? this.userId;
      changes = { userId, ...changes, accessToken };
    }
    Object.assign(this, changes);
    this.#write();
  }

  keep(isKept) {
    this.isKept = isKept;
    this.#write();
  }

  /** Forgets all, also in the browser. */
  forget() {
    this.isKept = false;
    this.change({ accessToken: "", userId: "", fingerprint: madeUp(), apiKey: "" });
  }

  #write() {
    const { accessToken, userId, fingerprint, apiKey } = this;
    const [here, elsewhere] = this.isKept ? ["localStorage", "sessionStorage"] : ["sessionStorage", "localStorage"];
    const written = JSON.stringify({ accessToken, userId, fingerprint, apiKey });
    stored(here, (storage) => storage.setItem(KEY, written));
    stored(elsewhere, (storage) => storage.removeItem(KEY));
    this.dispatchEvent(new Event("change"));
  }
}

/** A token may have been copied with the word of its header. */
const bare = (token) => token.trim().replace(/^Bearer\s+/i, "");

/** Whom a JWT names. Whether it says the truth is for the server to find out. */
function subjectOf(token) {
  try {
    return JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).sub;
  } catch {
    return undefined;
  }
}

const madeUp = () => `playground-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;

/** A browser may refuse to store anything: then the page forgets when it is left, and works all the same. */
function stored(place, use) {
  try {
    return use(window[place]);
  } catch {
    return null;
  }
}

const read = (place) => stored(place, (storage) => JSON.parse(storage.getItem(KEY)));
