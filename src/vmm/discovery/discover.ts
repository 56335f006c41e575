import { accessSync, constants } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { split } from 'shlex'
import { BoxError } from '../../machines/index.ts'
import { majorOf } from '../cloud-hypervisor/quirks.ts'
import type { VmmChoice } from '../driver.ts'
import type { Guest } from '../image.ts'
import { runsLinux, runsTiny } from './probe.ts'
import { remember } from './probe-cache.ts'
import { probeVersion, stampOf } from './version.ts'
import { which } from './which.ts'

export interface DiscoverOptions extends VmmChoice {
  /** kind of guest that is to run */
  readonly guest: 'tiny' | 'linux'
  readonly home: string
  /** a Linux guest to probe with; absent: only what was found out before counts */
  readonly linux?: (() => Promise<Guest>) | undefined
  readonly signal: AbortSignal
}

/** A VMM program that serves here. */
export interface Discovery {
  /** program and first arguments */
  readonly command: readonly string[]
  readonly kind: 'option' | 'environment' | 'cloud-hypervisor' | 'emulator'
  /** why this one, for people */
  readonly why: string
}

/** Oldest version whose behaviour is known. */
const oldestMajor = 50

/**
 * Finds the VMM program: what the caller or `$BOXLEDGER_VMM` names, else cloud-hypervisor where it can run this kind of
 * guest here, else the emulator on QEMU. Whether it can is tried, once per boot of the machine: under nested or
 * software KVM a tiny guest may run where Linux cannot.
 *
 * @throws BoxError VMM_NOT_FOUND, which says what to install
 */
export async function discover(options: DiscoverOptions): Promise<Discovery> {
  const { binary, env } = options
  if (binary !== undefined) {
    const command = typeof binary === 'string' ? [binary] : binary
    return given(command, env, 'option', `The option vmm.binary names ${command.join(' ')}`)
  }
  const line = env.BOXLEDGER_VMM
  if (line !== undefined && line.trim() !== '')
    return given(words(line), env, 'environment', `$BOXLEDGER_VMM names ${line}`)
  const found = await findCloudHypervisor(options)
  if (typeof found === 'object') return found
  const qemu = which('qemu-system-x86_64', env.PATH)
  if (qemu) {
    const main = fileURLToPath(new URL('../emulator/main.js', import.meta.url))
    const why = `${found}, so the emulator runs guests on ${qemu}`
    return { command: [process.execPath, main], kind: 'emulator', why }
  }
  const message =
    `No VMM for a ${options.guest} guest here: ${found}; qemu-system-x86_64 is not on PATH either. Install ` +
    `cloud-hypervisor v${oldestMajor} or newer (on a machine with /dev/kvm) or QEMU (qemu-system-x86), or name a VMM ` +
    'in $BOXLEDGER_VMM.'
  throw new BoxError('VMM_NOT_FOUND', message)
}

/** cloud-hypervisor if it serves, else what is in the way. */
async function findCloudHypervisor(options: DiscoverOptions): Promise<Discovery | string> {
  const { env, guest, linux, signal } = options
  const program = which('cloud-hypervisor', env.PATH)
  if (program === undefined) return 'cloud-hypervisor is not on PATH'
  const problem = kvmProblem()
  if (problem) return `${program} cannot run: ${problem}`
  const version = await probeVersion([program], signal)
  const major = majorOf(version)
  if (major !== undefined && major < oldestMajor)
    return `${program} is ${version.trim()}, older than v${oldestMajor}`
  const key = `${guest} ${program} ${stampOf(program)}`
  const probe = async () => {
    if (guest === 'tiny') return await runsTiny(program, signal)
    if (linux) return await runsLinux(program, await linux(), signal)
    throw new Untried()
  }
  try {
    const serves = await remember(key, options, async () => {
      const result = await probe()
      signal.throwIfAborted()
      return result
    })
    const name = guest === 'tiny' ? 'a tiny guest' : 'Linux'
    if (!serves) return `${program} cannot run ${name} with this machine's KVM`
    return {
      command: [program],
      kind: 'cloud-hypervisor',
      why: `${program} runs ${name} with this machine's KVM`,
    }
  } catch (error) {
    if (!(error instanceof Untried)) throw error
    return `it has not been tried yet whether ${program} runs Linux with this machine's KVM`
  }
}

/** There is no guest to try with. */
class Untried extends Error {}

function kvmProblem(): string | undefined {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK)
    return undefined
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return missing ? 'there is no /dev/kvm' : '/dev/kvm may not be opened by this user (group kvm?)'
  }
}

function words(line: string): string[] {
  try {
    return split(line)
  } catch (cause) {
    const message = `$BOXLEDGER_VMM is not a command line: ${(cause as Error).message}`
    throw new BoxError('VMM_NOT_FOUND', message, { cause })
  }
}

function given(
  [program = '', ...args]: readonly string[],
  env: VmmChoice['env'],
  kind: Discovery['kind'],
  why: string,
): Discovery {
  const path = which(program, env.PATH)
  if (path === undefined)
    throw new BoxError(
      'VMM_NOT_FOUND',
      `${why}, but ${program || 'the empty name'} is not there or cannot be run`,
    )
  return { command: [path, ...args], kind, why }
}
