/**
 * Blocks of code: a label, a button that copies, and colours that help the eye.
 * @module
 */

import { announce, element } from "./element.js";

const PATTERNS = {
  json: /(?<name>"(?:[^"\\]|\\.)*"(?=\s*:))|(?<text>"(?:[^"\\]|\\.)*")|(?<word>\b(?:true|false|null)\b|-?\d[\d.eE+-]*)/g,
  typescript: /(?<note>\/\*\*[\s\S]*?\*\/)|(?<text>"(?:[^"\\]|\\.)*")|(?<word>\b(?:export|interface|type|string|number|boolean|null|unknown|never|true|false)\b)/g,
  shell: /(?<text>'[^']*'|"(?:[^"\\]|\\.)*")|(?<word>(?<![\w-])-[-\w]+|^curl)/g,
};

/** @returns {{node: HTMLElement, show: (text: string) => void}} */
export function codeBlock({ label, id, language }, text = "") {
  const code = element("code", { id });
  // It scrolls by itself, so the keyboard must be able to reach it.
  const frame = element("pre", { tabindex: "0", role: "group", "aria-label": label }, code);
  const button = element(
    "button",
    { type: "button", class: "plain", "aria-label": `Copy: ${label}`, on: { click: () => copy(code, button) } },
    "Copy",
  );
  const head = element("div", { class: "code-head hint" }, label, button);
  const show = (text) => code.replaceChildren(...coloured(text, PATTERNS[language]));
  show(text);
  return { node: element("div", { class: "code" }, head, frame), show };
}

async function copy(code, button) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    announce("Copied.");
    button.textContent = "Copied";
  } catch {
    // Browsers give the clipboard to pages from https or this computer only.
    getSelection().selectAllChildren(code);
    announce("Selected: copy it with the keyboard.");
    button.textContent = "Selected";
  }
}

function coloured(text, pattern) {
  // A large text would become slow.
  if (text.length > 40_000) return [text];
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    const [kind] = Object.entries(match.groups).find(([, part]) => part !== undefined);
    nodes.push(text.slice(end, match.index), element("span", { class: `c-${kind}` }, match[0]));
    end = match.index + match[0].length;
  }
  return [...nodes, text.slice(end)];
}
