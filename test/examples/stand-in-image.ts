import { mkdir, mkdtemp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { recipeName } from '../../src/vmm/images/builtin.ts'
import { storeImage } from '../../src/vmm/images/image-cache.ts'
import { smallGuest } from '../support/vmms.ts'

/**
 * Puts files into a home that pass for the built-in guest as long as nothing boots them, so that what runs on the `none`
 * backend downloads nothing.
 */
export async function plantImage(home: string): Promise<void> {
  const images = join(home, 'images')
  await mkdir(images, { mode: 0o700 })
  const kernel = await readFile(smallGuest('idle').kernel)
  const workplace = await mkdtemp(join(home, 'making-'))
  await storeImage(images, recipeName(), workplace, {
    kernel,
    initramfs: Buffer.from('no guest'),
    kernelVersion: '0',
  })
}
