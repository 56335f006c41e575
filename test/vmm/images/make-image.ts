// Makes the built-in guest in the directory given; a program of its own, so that tests can kill it.
import { ensureBuiltinImage } from '../../../src/vmm/images/builtin.ts'

const image = await ensureBuiltinImage({ dir: process.argv[2] ?? '' })
process.stdout.write(image.initramfs)
