/**
 * TypeScript declarations from JSON schemas, for those who call an operation from a browser or an app. Every schema
 * that has a name in the document keeps it; what it refers to is declared after it.
 * @module
 */

/**
 * The declarations of a schema and of all that it refers to.
 * @param {object} schema
 * @param {string} name what the first declaration is called, if the schema has no name of its own
 * @param {(node: object) => object} resolve finds what a `$ref` means
 */
export function declarations(schema, name, resolve) {
  const declared = new Map();
  const waiting = [{ name: schema.$ref ? nameOf(schema) : name, schema }];
  const refer = (reference) => {
    waiting.push({ name: nameOf(reference), schema: reference });
    return nameOf(reference);
  };
  for (const next of waiting) {
    if (declared.has(next.name)) continue;
    // Taken before it is written, so that a schema may refer to itself.
    declared.set(next.name, "");
    declared.set(next.name, declaration(next.name, resolve(next.schema) ?? {}, refer));
  }
  return [...declared.values()].join("\n\n");
}

function declaration(name, schema, refer) {
  const text = typeOf(schema, "", refer);
  const isInterface = schema.properties && !schema.allOf && text.endsWith("}");
  const declared = isInterface ? `interface ${name} ${text}` : `type ${name} = ${text};`;
  return `${comment(schema.description, "")}export ${declared}`;
}

/** A type as it is written at this depth; `refer` is told of each reference, and gives the name to write for it. */
function typeOf(schema, indent, refer) {
  const inner = (part) => typeOf(part, indent, refer);
  if (!schema || schema === true) return "unknown";
  if (schema.$ref) return refer(schema);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return union(schema.enum.map((value) => JSON.stringify(value)));
  const choices = schema.oneOf ?? schema.anyOf;
  const parts = [choices && union(choices.map(inner)), ...(schema.allOf ?? []).map(inner)].filter(Boolean);
  // Beside its choices a schema may list properties; a bare `type: object` there says nothing new.
  if (parts.length === 0 || schema.properties) parts.push(plain(schema, indent, refer));
  if (parts.length === 1) return parts[0];
  return parts.map((part) => (isUnion(part) ? `(${part})` : part)).join(" & ");
}

/** Whether a type is a choice, whatever stands in its braces. */
function isUnion(text) {
  const without = text.replace(/\{[^{}]*\}/g, "");
  return without === text ? text.includes(" | ") : isUnion(without);
}

function plain(schema, indent, refer) {
  const types = [schema.type ?? (schema.properties ? "object" : "unknown")].flat();
  return union(
    types.map((type) => {
      if (type === "object") return object(schema, indent, refer);
      if (type !== "array") return type === "integer" ? "number" : type;
      const item = typeOf(schema.items, indent, refer);
      return /^\w+$/.test(item) ? `${item}[]` : `Array<${item}>`;
    }),
  );
}

function object({ properties, required, additionalProperties: others }, indent, refer) {
  if (!properties) return `Record<string, ${typeOf(others || undefined, indent, refer)}>`;
  const deeper = `${indent}  `;
  const lines = Object.entries(properties).map(([key, property]) => {
    const name = /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
    const mark = required?.includes(key) ? "" : "?";
    return `${comment(property.description, deeper)}${deeper}${name}${mark}: ${typeOf(property, deeper, refer)};\n`;
  });
  return `{\n${lines.join("")}${indent}}`;
}

const union = (types) => [...new Set(types)].join(" | ");

/** What a reference's schema is called, as an identifier. */
const nameOf = ({ $ref }) => $ref.split("/").at(-1).replace(/\W+/g, "_");

/** A doc comment, or nothing. */
function comment(text, indent) {
  if (!text) return "";
  // The end of a comment within a description must not end this one.
  const lines = text.trim().replaceAll("*/", "*\\/").split("\n");
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")}\n${indent} */\n`;
}
