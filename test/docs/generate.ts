// Writes the pages that are made from the code: `npm run docs`.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { machinePage } from './machine-page.ts'

const page = fileURLToPath(new URL('../../../docs/machine.md', import.meta.url))
writeFileSync(page, machinePage())
console.log('docs/machine.md')
