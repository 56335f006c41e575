import { fileURLToPath } from 'node:url'
import type { VmmChoice } from 'boxledger/vmm'
import { needsCloudHypervisor, needsQemu } from '../../support/requires.ts'
import type { Callback, Test } from '../../support/suite.ts'

/** A VMM that the same life-cycle tests run on. */
export interface TestedVmm {
  readonly name: 'none' | 'qemu' | 'cloud-hypervisor'
  readonly choice: VmmChoice
  readonly register: (test: Test, name: string, body: Callback<Record<string, unknown>>) => void
}

const emulator = fileURLToPath(new URL('../../../src/vmm/emulator/main.js', import.meta.url))

export const emulatorOf = (backend: 'none' | 'qemu', ...more: readonly string[]): VmmChoice => ({
  binary: [process.execPath, emulator, '--backend', backend, ...more],
  env: process.env,
})

export const withoutGuest: TestedVmm = {
  name: 'none',
  choice: emulatorOf('none'),
  register: (test, name, body) => test(name, body),
}

export const onQemu: TestedVmm = { name: 'qemu', choice: emulatorOf('qemu'), register: needsQemu }

export const onCloudHypervisor: TestedVmm = {
  name: 'cloud-hypervisor',
  choice: { binary: 'cloud-hypervisor', env: process.env },
  register: needsCloudHypervisor,
}
