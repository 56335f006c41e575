import { BoxError } from '../machines/index.ts'
import { discover } from '../vmm/index.ts'
import { homeOf } from './home.ts'
import { check, shapes } from './options.ts'
import { engineName } from './version.ts'

/** The VMM that would run a box, or why there is none. */
export type VmmFinding =
  | {
      /** program and first arguments */
      readonly command: readonly string[]
      readonly kind: 'option' | 'environment' | 'cloud-hypervisor' | 'emulator'
      /** why this one, for people */
      readonly why: string
    }
  | { readonly problem: string }

export interface HostInfo {
  readonly version: string
  readonly node: string
  readonly platform: string
  readonly home: string
  /** by kind of guest: Linux, or a small kernel of one's own */
  readonly vmm: { readonly linux: VmmFinding; readonly tiny: VmmFinding }
}

export interface HostInfoOptions {
  readonly home?: string
  readonly vmm?: { readonly binary?: string | readonly string[] }
  readonly signal?: AbortSignal
}

/**
 * What this machine has to run boxes with; opens no home. That cloud-hypervisor runs Linux here is known only after
 * the first box with Linux was started, which is when it is tried.
 *
 * @example
 * const { vmm } = await hostInfo()
 * if ('problem' in vmm.linux) console.error(vmm.linux.problem)
 */
export async function hostInfo(options: HostInfoOptions = {}): Promise<HostInfo> {
  const given = check(shapes.host, options, 'options') as HostInfoOptions
  const { vmm, signal = new AbortController().signal } = given
  const home = homeOf(given.home, process.env)
  const find = async (guest: 'linux' | 'tiny'): Promise<VmmFinding> => {
    try {
      return await discover({ ...vmm, env: process.env, guest, home, signal })
    } catch (error) {
      if (BoxError.is(error, 'VMM_NOT_FOUND')) return { problem: error.message }
      throw error
    }
  }
  return {
    version: engineName.slice(engineName.indexOf('/') + 1),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    home,
    vmm: { linux: await find('linux'), tiny: await find('tiny') },
  }
}
