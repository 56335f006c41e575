import * as assert from 'uvu/assert'
import { builtinCmdline } from '../../../src/vmm/images/cmdline.ts'
import { ImageError } from '../../../src/vmm/images/image-error.ts'
import { suite } from '../../support/suite.ts'

const cmdline = suite('cmdline')

cmdline('has what the guest needs, the name, and further words last', () => {
  assert.is(builtinCmdline(), 'console=ttyS0 panic=-1 quiet cryptomgr.notests=1')
  assert.is(
    builtinCmdline({ name: 'web-1', extra: ['loglevel=7'] }),
    'console=ttyS0 panic=-1 quiet cryptomgr.notests=1 boxledger.name=web-1 loglevel=7',
  )
})

cmdline('a name or word cannot bring further words along', () => {
  for (const options of [
    { name: 'a init=/bin/sh' },
    { name: '' },
    { name: 'a\n' },
    { name: 'x'.repeat(64) },
    { extra: ['a b'] },
  ])
    assert.throws(
      () => builtinCmdline(options),
      (error: unknown) => error instanceof ImageError && error.code === 'INVALID_ARGUMENT',
    )
})

cmdline.run()
