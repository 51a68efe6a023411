/**
 * The little markdown that the document's descriptions use: paragraphs, **bold** and `code`.
 * @module
 */

import { element } from "./element.js";

/** The paragraphs of a text. One that begins with a bold label (`**Warning:** …`) is a note. */
export function paragraphs(text = "") {
  return text
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.trim())
    .filter(Boolean)
    .map((paragraph) => element("p", { class: /^\*\*[^*]+:\*\*/.test(paragraph) && "note" }, inline(paragraph)));
}

/** The nodes of one line of text. */
export function inline(text = "") {
  return text.split(/(`[^`]+`|\*\*.+?\*\*)/s).map((part) => {
    if (/^`.+`$/s.test(part)) return element("code", {}, part.slice(1, -1));
    if (/^\*\*.+\*\*$/s.test(part)) return element("strong", {}, inline(part.slice(2, -2)));
    return part;
  });
}
