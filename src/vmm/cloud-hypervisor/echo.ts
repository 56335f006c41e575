import { isObject } from './answer.ts'
import type { VmConfig } from './vm-config.ts'

/**
 * Names what of a configuration the VMM has not taken, by path: it drops what it does not know without a word. What it
 * adds of its own is not looked at.
 */
export function differences(sent: VmConfig, echo: Readonly<Record<string, unknown>>): string[] {
  const { platform, ...rest } = sent
  const found = differ(rest, echo, '')
  return uuidIn(echo) === Object.values(platform)[0] ? found : [...found, 'platform.uuid']
}

/** The UUID of the VM that `vm.info` tells of, by whichever name it goes there. */
export function uuidIn(config: Readonly<Record<string, unknown>>): string | undefined {
  const { platform } = config
  if (!isObject(platform)) return undefined
  const uuid = platform.system_uuid ?? platform.uuid
  return typeof uuid === 'string' ? uuid.toLowerCase() : undefined
}

function differ(sent: unknown, echo: unknown, at: string): string[] {
  if (Array.isArray(sent)) {
    if (!Array.isArray(echo) || echo.length !== sent.length) return [at]
    return sent.flatMap((item, n) => differ(item, echo[n], `${at}[${n}]`))
  }
  if (isObject(sent)) {
    if (!isObject(echo)) return [at]
    return Object.entries(sent).flatMap(([key, value]) =>
      differ(value, echo[key], at === '' ? key : `${at}.${key}`),
    )
  }
  return sent === echo ? [] : [at]
}
