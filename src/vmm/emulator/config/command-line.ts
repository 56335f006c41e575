import { ApiError, failed } from '../api-error.ts'
import { JsonError, JsonReader } from '../json/reader.ts'
import { readJson } from '../json/types.ts'
import { validateConfig } from './validation.ts'
import { type VmConfig, vmConfig } from './vm-config.ts'

type Values = ReadonlyMap<string, readonly string[]>
type Settings = Record<string, string>

/** The VM described by flags, if there is one. Unlike the API's, it is checked right away. */
export function configFromFlags(values: Values): VmConfig | undefined {
  if (!values.has('kernel') && !values.has('firmware')) return undefined
  const first = (name: string): string | undefined => values.get(name)?.[0]
  const one = (name: string): Settings => splitSettings(first(name) ?? '')
  const cpus = one('cpus')
  const json = {
    cpus: readCpus(cpus),
    memory: { size: readSize('memory', 'size', one('memory').size ?? '512M') },
    payload: dropMissing({
      kernel: first('kernel'),
      firmware: first('firmware'),
      cmdline: first('cmdline'),
      initramfs: first('initramfs'),
    }),
    ...(values.has('disk') ? { disks: values.get('disk')?.map(readDisk) } : {}),
    ...(values.has('net') ? { net: values.get('net')?.map(splitSettings) } : {}),
    ...(values.has('rng') ? { rng: { src: one('rng').src ?? '/dev/urandom' } } : {}),
    serial: readConsole(first('serial') ?? 'null'),
    console: readConsole(first('console') ?? 'tty'),
    ...(values.has('vsock') ? { vsock: { ...one('vsock'), cid: Number(one('vsock').cid) } } : {}),
    pvpanic: values.has('pvpanic'),
    watchdog: values.has('watchdog'),
    landlock_enable: values.has('landlock'),
  }
  try {
    const config = readJson(vmConfig, new JsonReader(Buffer.from(JSON.stringify(json))))
    validateConfig(config)
    return config
  } catch (error) {
    if (error instanceof JsonError) throw failed('Error parsing config', error.message)
    if (!(error instanceof ApiError)) throw error
    throw failed('Error parsing config', 'Error validating configuration', ...error.chain.slice(1))
  }
}

/** What `--restore` asks for. */
export function restoreFromFlags(values: Values): { source_url: string; resume: boolean } | undefined {
  const value = values.get('restore')?.[0]
  if (value === undefined) return undefined
  const settings = splitSettings(value)
  return { source_url: settings.source_url ?? '', resume: settings.resume === 'true' }
}

function readCpus(settings: Settings): object {
  const boot = readCount('cpus', 'boot', settings.boot ?? '1')
  return { boot_vcpus: boot, max_vcpus: readCount('cpus', 'max', settings.max ?? String(boot)) }
}

function readDisk(value: string): object {
  const { path, id, readonly, serial, image_type } = splitSettings(value)
  const types: Settings = { raw: 'Raw', qcow2: 'Qcow2', vhd: 'FixedVhd', vhdx: 'Vhdx' }
  const type = image_type === undefined ? undefined : (types[image_type] ?? image_type)
  return dropMissing({ path, id, serial, readonly: readonly === 'on', image_type: type })
}

function readConsole(value: string): object {
  const [mode = '', target] = value.split('=', 2)
  if (mode === 'file') return { mode: 'File', file: target }
  if (mode === 'socket') return { mode: 'Socket', socket: target }
  return { mode: `${mode.slice(0, 1).toUpperCase()}${mode.slice(1)}` }
}

function readCount(flag: string, key: string, value: string): number {
  if (!/^[0-9]+$/.test(value)) throw unconvertible(flag, key, value)
  return Number(value)
}

/** Bytes, or with K, M or G behind the number. */
function readSize(flag: string, key: string, value: string): number {
  const match = /^([0-9]+)([KMG]?)$/.exec(value)
  if (match === null) throw unconvertible(flag, key, value)
  return Number(match[1]) * 1024 ** ' KMG'.indexOf(match[2] === '' ? ' ' : (match[2] ?? ' '))
}

function unconvertible(flag: string, key: string, value: string): ApiError {
  return failed('Error parsing config', `Error parsing --${flag}`, `unable to convert ${value} for ${key}`)
}

function splitSettings(value: string): Settings {
  const settings: Settings = {}
  for (const part of value.split(',').filter(each => each !== '')) {
    const equals = part.indexOf('=')
    if (equals >= 0) settings[part.slice(0, equals)] = part.slice(equals + 1)
  }
  return settings
}

function dropMissing(values: Record<string, unknown>): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
