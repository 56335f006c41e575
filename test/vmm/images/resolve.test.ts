import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { checkDisks, type ImageSpec, resolveImage } from '../../../src/vmm/images/resolve.ts'
import { suite } from '../../support/suite.ts'
import { withTempDir } from '../../support/tmp.ts'
import { codeOf, imageError } from './codes.ts'

const resolve = suite('resolve image')

const withFiles = (fn: (path: (name: string) => string, dir: string) => Promise<void>) => () =>
  withTempDir(async dir => {
    const path = (name: string) => join(dir, name)
    for (const name of ['kernel', 'initramfs', 'disk']) writeFileSync(path(name), name)
    writeFileSync(path('empty'), '')
    mkdirSync(path('directory'))
    await fn(path, dir)
  })

resolve(
  'files are passed on as they are',
  withFiles(async (path, dir) => {
    const disks = [{ path: path('disk'), format: 'raw', readonly: true }] as const
    assert.equal(
      await resolveImage(
        { kernel: path('kernel'), initramfs: path('initramfs'), cmdline: 'a=b', disks },
        { dir, disksDir: join(dir, 'disks') },
      ),
      {
        kind: 'files',
        kernel: path('kernel'),
        initramfs: path('initramfs'),
        cmdline: 'a=b',
        disks,
        ready: 'vmm',
        supportsCommand: false,
        hasAgent: false,
      },
    )
    const { cmdline, disks: none } = await resolveImage(
      { kernel: path('kernel') },
      { dir, disksDir: join(dir, 'disks') },
    )
    assert.equal([cmdline, none], ['console=ttyS0 panic=-1', []])
  }),
)

resolve(
  'a file that cannot be used fails the boot and is named',
  withFiles(async (path, dir) => {
    const kernel = path('kernel')
    const cases: [string, ImageSpec][] = [
      ['nowhere', { kernel: path('nowhere') }],
      ['empty', { kernel: path('empty') }],
      ['directory', { kernel: path('directory') }],
      ['nowhere', { kernel, initramfs: path('nowhere') }],
      ['nowhere', { kernel, disks: [{ path: path('disk') }, { path: path('nowhere') }] }],
      ['directory', { kernel, disks: [{ path: path('directory') }] }],
    ]
    for (const [name, spec] of cases) {
      const error = await imageError(() => resolveImage(spec, { dir, disksDir: join(dir, 'disks') }))
      assert.is(error.code, 'BOOT_FAILED')
      assert.is(error.details.path, path(name))
      assert.match(error.message, path(name))
    }
    assert.is(await codeOf(() => checkDisks([{ path: path('nowhere') }])), 'BOOT_FAILED')
    await checkDisks([{ path: path('disk') }])
  }),
)

resolve(
  'another name is not found',
  withFiles(async (_path, dir) => {
    assert.is(await codeOf(() => resolveImage('debian', { dir, disksDir: join(dir, 'disks') })), 'NOT_FOUND')
    assert.is(await codeOf(() => resolveImage('', { dir, disksDir: join(dir, 'disks') })), 'NOT_FOUND')
  }),
)

resolve.run()
