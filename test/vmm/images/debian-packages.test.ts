import * as assert from 'uvu/assert'
import { kernelOf } from '../../../src/vmm/images/builtin.ts'
import { parsePackages } from '../../../src/vmm/images/debian-packages.ts'
import { isWantedForModules, moduleName } from '../../../src/vmm/images/modules.ts'
import { suite } from '../../support/suite.ts'

const packages = suite('debian packages')

packages('the stanzas of apt-cache are read', () => {
  const text =
    'Package: a\nVersion: 1:2-3\nDepends: b (= 1), c\nDescription: x\n more\n\nPackage: b\nVersion: 4\n\n'
  assert.equal(parsePackages(text), [
    { name: 'a', version: '1:2-3', depends: 'b (= 1), c' },
    { name: 'b', version: '4', depends: '' },
  ])
  assert.equal(parsePackages(''), [])
})

packages('the meta package leads to the kernel, in Debian 12 and 13', () => {
  assert.equal(kernelOf('linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)', '6.1.192-2'), {
    name: 'linux-image-6.1.0-56-cloud-amd64',
    version: '6.1.192-2',
  })
  assert.equal(kernelOf('kmod, linux-image-6.12.117+deb13-cloud-amd64', '6.12.117-1'), {
    name: 'linux-image-6.12.117+deb13-cloud-amd64',
    version: '6.12.117-1',
  })
  assert.is(kernelOf('linux-image-amd64', '1'), undefined)
})

packages('modules are known by any place and packing', () => {
  assert.is(moduleName('lib/modules/6.1/kernel/drivers/char/hw_random/virtio-rng.ko'), 'virtio_rng')
  assert.is(moduleName('usr/lib/modules/6.12/kernel/fs/overlayfs/overlay.ko.xz'), 'overlay')
  assert.is(moduleName('boot/vmlinuz'), undefined)
  assert.ok(isWantedForModules('usr/lib/modules/6.12/modules.builtin'))
  assert.not.ok(isWantedForModules('lib/modules/6.1/kernel/net/nothing.ko'))
  assert.ok(isWantedForModules('lib/modules/6.1/kernel/net/nothing.ko', ['nothing']))
})

packages.run()
