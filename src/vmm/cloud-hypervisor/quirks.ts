/** What differs between versions of cloud-hypervisor, in one place. */
export interface Quirks {
  /** `--no-shutdown`: the guest's power-off does not end the VMM */
  readonly noShutdown: boolean
  /** `platform.system_uuid`, called `uuid` before */
  readonly systemUuid: boolean
}

/** Major number out of `53.0.0`, `v53.0-dirty` or `cloud-hypervisor v53.0`; undefined if there is none. */
export function majorOf(version: string): number | undefined {
  const major = /(?:^|[\sv])(\d{1,4})\.\d+/.exec(version)?.[1]
  return major === undefined ? undefined : Number(major)
}

/** A version that says nothing, or one newer than any known, is taken for the newest known. */
export function quirksOf(version: string): Quirks {
  const major = majorOf(version) ?? 53
  return { noShutdown: major >= 52, systemUuid: major >= 53 }
}
