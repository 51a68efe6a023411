/**
 * Reads the OpenAPI document into what the page shows, so that no other module knows how the document is laid out.
 * @module
 */

const METHODS = ["get", "post", "put", "patch", "delete"];

/** The document as the page reads it. */
export class Description {
  constructor(document) {
    this.document = document;
    this.info = document.info;
    this.servers = document.servers;
    this.operations = Object.entries(document.paths).flatMap(([path, item]) =>
      METHODS.filter((method) => item[method]).map((method) => this.#operation(path, method, item[method])),
    );
    this.tags = document.tags.map((tag) => ({
      ...tag,
      operations: this.operations.filter((operation) => operation.tag === tag.name),
    }));
  }

  /** The operation of this id, or `undefined`. */
  operation(id) {
    return this.operations.find((operation) => operation.id === id);
  }

  /** What a reference within the document means; anything else is itself. */
  resolve(node) {
    if (!node?.$ref) return node;
    const steps = node.$ref.split("/").slice(1);
    return steps.reduce((at, step) => at?.[step], this.document);
  }

  #operation(path, method, operation) {
    const schemes = this.document.components?.securitySchemes;
    return {
      id: operation.operationId,
      method: method.toUpperCase(),
      path,
      summary: (operation.summary ?? operation.operationId).replace(/\.$/, ""),
      description: operation.description,
      tag: operation.tags?.[0],
      changes: method !== "get",
      // One way to sign in suffices, and the first is the one to try.
      schemes: Object.keys(operation.security?.[0] ?? {}).map((id) => ({ id, ...schemes[id] })),
      parameters: (operation.parameters ?? []).map((parameter) => this.#described(parameter)),
      body: contents(this.resolve(operation.requestBody))[0],
      answers: Object.entries(operation.responses).map(([status, response]) => {
        const { description, headers = {}, content } = this.resolve(response);
        const described = Object.entries(headers).map(([name, header]) => ({ name, ...this.#described(header) }));
        return { status, description, headers: described, contents: contents({ content }) };
      }),
    };
  }

  /** A parameter or a header, its schema in place. */
  #described(node) {
    const found = this.resolve(node);
    return { ...found, schema: this.resolve(found.schema) ?? {} };
  }
}

/** The media types of a body, each with its schema and an example. */
const contents = (body) =>
  Object.entries(body?.content ?? {}).map(([mediaType, { schema = {}, example, examples = {} }]) => ({
    mediaType,
    schema,
    example: example ?? Object.values(examples)[0]?.value,
  }));

/** What a schema asks of a value, in words. */
export function limits(schema) {
  const words = {
    type: (types) => [types].flat().filter((type) => type !== "null").join(" or "),
    enum: (values) => `one of ${values.join(", ")}`,
    minLength: (count) => `at least ${count} long`,
    maxLength: (count) => `at most ${count} long`,
    minimum: (least) => `from ${least}`,
    maximum: (most) => `to ${most}`,
    pattern: (pattern) => `as ${pattern}`,
  };
  const said = Object.keys(words).filter((key) => schema[key] !== undefined);
  return said.map((key) => words[key](schema[key])).join(", ");
}
