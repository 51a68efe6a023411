// Says what in the document would break a client that was written for the released one. Such a change fails unless the
// CHANGELOG owns up to it, by an entry of [Unreleased] that begins with **Breaking:**.

import { readFile } from 'node:fs/promises'
import { breaking } from './changes.mjs'

const root = new URL('../../', import.meta.url)
const read = async (path) => readFile(new URL(path, root), 'utf8')

const released = JSON.parse(await read('openapi/released.json'))
const present = JSON.parse(await read(process.argv[2] ?? 'openapi/openapi.json'))

const changes = breaking(released, present)
for (const change of changes) {
  console.log(`breaking: ${change}`)
}

const changelog = await read('CHANGELOG.md')
const unreleased = changelog.split(/^## /m).find((part) => part.startsWith('[Unreleased]')) ?? ''
const owned = /^- \*\*Breaking:\*\*/m.test(unreleased)
if (changes.length > 0 && !owned) {
  console.error('The CHANGELOG has no entry under [Unreleased] that begins with "- **Breaking:**".')
  process.exitCode = 1
}
console.log(`${changes.length} breaking changes since the released document`)
