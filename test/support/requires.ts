import { spawnSync } from 'node:child_process'
import { accessSync, closeSync, constants, openSync } from 'node:fs'
import path from 'node:path'
import type { Callback, Test } from './suite.ts'
import { canMount } from './tmpfs.ts'

/** Where a program is found on PATH, or undefined. */
export const findOnPath = (program: string): string | undefined =>
  (process.env.PATH ?? '')
    .split(path.delimiter)
    .filter(dir => dir !== '')
    .map(dir => path.join(dir, program))
    .find(file => can(() => accessSync(file, constants.X_OK)))

/** Registers a test that runs a guest on QEMU. Without QEMU it is skipped, or fails under `BOXLEDGER_REQUIRE_QEMU=1`. */
export const needsQemu = <T>(test: Test<T>, name: string, fn: Callback<T>): void => {
  const missing = findOnPath('qemu-system-x86_64')
    ? undefined
    : 'qemu-system-x86_64 is not on PATH (Debian: qemu-system-x86)'
  const noted: Callback<T> = async context => {
    try {
      await fn(context)
    } finally {
      note(`QEMU ${name}`)
    }
  }
  register(test, name, noted, missing, 'BOXLEDGER_REQUIRE_QEMU')
}

/** The same for a real cloud-hypervisor, which needs a usable `/dev/kvm`; forced by `BOXLEDGER_REQUIRE_CH=1`. */
export const needsCloudHypervisor = <T>(test: Test<T>, name: string, fn: Callback<T>): void => {
  register(test, name, fn, withoutCloudHypervisor(), 'BOXLEDGER_REQUIRE_CH')
}

/** The same where Linux is to run on it, which not every KVM can; forced by `BOXLEDGER_REQUIRE_CH_LINUX=1`. */
export const needsLinuxOnCloudHypervisor = async <T>(
  test: Test<T>,
  name: string,
  fn: Callback<T>,
  runsLinux: () => Promise<boolean>,
): Promise<void> => {
  let missing = withoutCloudHypervisor()
  if (missing === undefined && !(await runsLinux()))
    missing = "cloud-hypervisor does not run Linux with this machine's KVM"
  register(test, name, fn, missing, 'BOXLEDGER_REQUIRE_CH_LINUX')
}

const withoutCloudHypervisor = (): string | undefined => {
  if (!findOnPath('cloud-hypervisor')) return 'cloud-hypervisor is not on PATH'
  return opens('/dev/kvm') ? undefined : '/dev/kvm cannot be opened here'
}

/** The same for faults put into system calls, for which strace has to be allowed to trace; forced by `BOXLEDGER_REQUIRE_FAULTS=1`. */
export const needsStrace = <T>(test: Test<T>, name: string, fn: Callback<T>): void => {
  let missing: string | undefined
  if (!findOnPath('strace')) missing = 'strace is not on PATH (Debian: strace)'
  else if (spawnSync('strace', ['-f', '-o', '/dev/null', 'true'], { stdio: 'ignore' }).status !== 0)
    missing = 'strace may not trace here'
  register(test, name, fn, missing, 'BOXLEDGER_REQUIRE_FAULTS')
}

/** The same for a small disk of its own, which has to be mounted: for root only, as a rule. Forced by `BOXLEDGER_REQUIRE_FAULTS=1`. */
export const needsMount = <T>(test: Test<T>, name: string, fn: Callback<T>): void => {
  register(
    test,
    name,
    fn,
    canMount() ? undefined : 'a disk cannot be mounted here',
    'BOXLEDGER_REQUIRE_FAULTS',
  )
}

/** A Chromium without a screen, on PATH. */
export const findChromium = (): string | undefined =>
  findOnPath('chromium-headless-shell') ?? findOnPath('chromium')

/** The same for pages, which need a browser; forced by `BOXLEDGER_REQUIRE_BROWSER=1`. */
export const needsChromium = <T>(test: Test<T>, name: string, fn: Callback<T>): void => {
  const missing = findChromium()
    ? undefined
    : 'neither chromium-headless-shell nor chromium is on PATH (Debian: chromium-headless-shell)'
  register(test, name, fn, missing, 'BOXLEDGER_REQUIRE_BROWSER')
}

/** The same for a Redis that it starts itself; forced by `BOXLEDGER_REQUIRE_REDIS=1`. */
export const needsRedis = <T>(test: Test<T>, name: string, fn: Callback<T>): void => {
  const missing = findOnPath('redis-server')
    ? undefined
    : 'redis-server is not on PATH (Debian: redis-server)'
  register(test, name, fn, missing, 'BOXLEDGER_REQUIRE_REDIS')
}

const register = <T>(
  test: Test<T>,
  name: string,
  fn: Callback<T>,
  missing: string | undefined,
  forcedBy: string,
): void => {
  if (missing === undefined) {
    test(name, fn)
  } else if (process.env[forcedBy] === '1') {
    test(name, () => {
      throw new Error(`${missing}, but ${forcedBy}=1 forbids skipping.`)
    })
  } else {
    note(`SKIP ${name}: ${missing}`)
    test.skip(name, fn)
  }
}

// uvu writes its dots without an end of line; the runner wants notes on lines of their own.
const note = (text: string): void => {
  process.stdout.write(`\n${text}\n`)
}

// To be allowed is not enough: a device may be there and be refused by the container.
const opens = (file: string): boolean => can(() => closeSync(openSync(file, 'r+')))

const can = (attempt: () => void): boolean => {
  try {
    attempt()
    return true
  } catch {
    // Whatever the reason, it cannot be used from here, and that is the question.
    return false
  }
}
