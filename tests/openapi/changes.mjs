// What in a document would break a client that was written for the one before it.

import { apiDiff } from 'api-smart-diff'

const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'])

/** Every operation, by method and path. */
function operations(document) {
  const found = new Map()
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const [method, operation] of Object.entries(item)) {
      if (METHODS.has(method)) found.set(`${method} ${path}`, operation)
    }
  }
  return found
}

const required = (operation) =>
  (operation.parameters ?? []).filter((one) => one.required).map((one) => `${one.in} ${one.name}`)

/** The differ has no rule for the name by which generated clients call an operation, nor for a parameter they do not send. */
function unruled(released, present) {
  const found = []
  const now = operations(present)
  for (const [place, operation] of operations(released)) {
    const other = now.get(place)
    if (!other) continue
    if (other.operationId !== operation.operationId) found.push(`rename ${place} > operationId`)
    const known = new Set(required(operation))
    for (const parameter of required(other)) {
      if (!known.has(parameter)) found.push(`add ${place} > required ${parameter}`)
    }
  }
  return found
}

/** The breaking changes from one document to the next, a line each. */
export function breaking(released, present) {
  const ruled = apiDiff(released, present)
    .filter((change) => change.type === 'breaking')
    .map(({ action, path }) => `${action} ${path.join(' > ')}`)
  return [...new Set([...ruled, ...unruled(released, present)])]
}
