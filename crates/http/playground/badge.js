/**
 * An HTTP method as a badge: the word says it, the colour only helps.
 * @module
 */

import { element } from "./element.js";

export const badge = (method) => element("span", { class: `badge ${method.toLowerCase()}` }, method);
