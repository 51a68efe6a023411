import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import test from 'node:test'
import { breaking } from './changes.mjs'

const released = JSON.parse(await readFile(new URL('../../openapi/openapi.json', import.meta.url), 'utf8'))

/** What is found after a change of the document. */
function after(change) {
  const present = structuredClone(released)
  change(present)
  return breaking(released, present)
}

const register = (document) => document.paths['/api/v1/notifications/device-token'].post

test('a document breaks nothing of itself', () => {
  assert.deepEqual(after(() => {}), [])
})

test('what is added breaks nothing', () => {
  assert.deepEqual(after((document) => {
    document.paths['/new'] = { get: { operationId: 'getNew', responses: {} } }
    register(document).parameters = [{ name: 'dry', in: 'query', required: false, schema: { type: 'boolean' } }]
  }), [])
})

test('what clients rely on breaks them when it goes', () => {
  const changes = [
    (document) => { delete document.paths['/push/subscribe'].post },
    (document) => { delete document.components.schemas.AllmineUser.properties.email },
    (document) => { register(document).operationId = 'registerToken' },
    (document) => { register(document).parameters = [{ name: 'app', in: 'query', required: true, schema: { type: 'string' } }] },
    (document) => { document.components.schemas.AllmineDeviceTokenRequest.required.push('token') },
  ]
  for (const change of changes) {
    assert.notDeepEqual(after(change), [], String(change))
  }
})
