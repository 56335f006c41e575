// Writes the pages that are made from the code: `npm run docs`.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { machinePage } from '../../src/api/machine/page.ts'
import { crashPointsPage } from './crash-points-page.ts'

const pages = { 'machine.md': machinePage, 'crash-points.md': crashPointsPage }

for (const [name, make] of Object.entries(pages)) {
  writeFileSync(fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url)), make())
  console.log(`docs/${name}`)
}
