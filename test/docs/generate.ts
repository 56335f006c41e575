// Writes the files that are made from the code: `npm run docs`.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { machinePage } from '../../src/api/machine/page.ts'
import { crashPointsPage } from './crash-points-page.ts'
import { layOutMachine, layoutModule } from './machine-layout.ts'
import { machinePicture } from './machine-picture.ts'

const files = {
  'docs/machine.md': machinePage,
  'docs/crash-points.md': crashPointsPage,
  'src/viewer/machine-layout.ts': layoutModule,
  'docs/machine.svg': async () => machinePicture(await layOutMachine()),
}

for (const [name, make] of Object.entries(files)) {
  writeFileSync(fileURLToPath(new URL(`../../../${name}`, import.meta.url)), await make())
  console.log(name)
}
