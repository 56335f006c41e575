import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { smallGuest } from '../../../support/vmms.ts'
import { type Scenario, small, started } from '../scenario.ts'

/** An image with a disk, of which each box gets a copy. */
function spec(home: string) {
  const disk = `${home}.disk`
  writeFileSync(disk, Buffer.alloc(4096, 'disk'))
  const { image } = small()
  return { ...(image as { kernel: string; cmdline: string }), disks: [{ path: disk }] }
}

/** A guest that does not have to be there: on the VMM without guests it is ready. */
const guest = { kernel: smallGuest('idle').kernel, cmdline: 'boxledger.init', agent: true }
const size = { memoryMib: 64 }

/** Images that come and go. */
export const images: Readonly<Record<string, Scenario>> = {
  'an image that is added, used and removed': {
    async prepare(home) {
      mkdirSync(join(home, 'images', '.adding-abcdef'), { recursive: true, mode: 0o700 })
    },
    fromOpening: true,
    async run({ home, runtime, acknowledge }) {
      await runtime.images.add('gone', spec(home))
      await runtime.images.remove('gone')
      await runtime.images.add('mine', spec(home))
      const box = await started(runtime, { ...small(), image: 'mine' })
      await acknowledge(box)
    },
  },
  'a template that is made, replaced and removed': {
    async prepare(home) {
      for (const left of ['.making-abcdef', '.removing-abcdef'])
        mkdirSync(join(home, 'images', '.templates', left), { recursive: true, mode: 0o700 })
    },
    fromOpening: true,
    async run({ home, runtime }) {
      await runtime.images.add('mine', guest)
      await runtime.images.template('mine', size)
      truncateSync(join(home, 'images', '.templates', 'mine', '1x64', 'memory-ranges'), 0)
      await runtime.images.template('mine', size)
      await runtime.images.remove('mine')
    },
  },
  'a start from a template, and from one that does not do': {
    async run({ home, runtime, begin, acknowledge }) {
      await runtime.images.add('mine', guest)
      await runtime.images.template('mine', size)
      begin()
      const box = await started(runtime, { image: 'mine', memoryMib: 64, stopTimeoutMs: 200 })
      await acknowledge(box)
      const path = join(home, 'images', '.templates', 'mine', '1x64', 'template.json')
      const manifest = JSON.parse(readFileSync(path, 'utf8'))
      writeFileSync(path, JSON.stringify({ ...manifest, vmm: { version: '53.0.0', features: ['unknown'] } }))
      await box.restart()
      await acknowledge(box)
    },
  },
}
