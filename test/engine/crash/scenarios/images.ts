import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Scenario, small, started } from '../scenario.ts'

/** An image with a disk, of which each box gets a copy. */
function spec(home: string) {
  const disk = `${home}.disk`
  writeFileSync(disk, Buffer.alloc(4096, 'disk'))
  const { image } = small()
  return { ...(image as { kernel: string; cmdline: string }), disks: [{ path: disk }] }
}

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
}
