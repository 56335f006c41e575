import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ApiError, alreadyCreated, describeSystemError, failed } from './api-error.ts'
import type { RestoreBody } from './config/request-bodies.ts'
import { type VmConfig, vmConfig } from './config/vm-config.ts'
import { JsonError, JsonReader } from './json/reader.ts'
import { anything, readJson, type Type } from './json/types.ts'
import type { Vmm } from './vmm.ts'

const SCHEME = 'file://'

/** Writes `config.json`, `state.json` and `memory-ranges` of the paused VM. */
export async function saveSnapshot(vmm: Vmm, url: string): Promise<void> {
  const vm = vmm.needVm()
  vmm.emit('snapshotting')
  if (vm.state !== 'Paused') {
    const why = 'Trying to snapshot while VM is running'
    throw failed('Cannot snapshot VM', 'Failed to snapshot migratable component', why)
  }
  // As the real one: told before anything is written.
  vmm.emit('snapshotted')
  const outer = ['Cannot send VM snapshot', 'Failed to send migratable component snapshot']
  const directory = openDirectory(url, outer)
  try {
    writeFileSync(join(directory, 'config.json'), JSON.stringify(vmm.config), { flag: 'wx' })
  } catch (error) {
    throw failed(...outer, 'Error creating VM config snapshot file', describeSystemError(error))
  }
  await vm.guest?.save(directory)
}

export async function restoreSnapshot(vmm: Vmm, { source_url, resume }: RestoreBody): Promise<void> {
  if (vmm.config !== undefined) throw alreadyCreated()
  const directory = openDirectory(source_url, [
    'Cannot restore VM',
    'Failed to send migratable component snapshot',
  ])
  const config: VmConfig = readPart(directory, 'config', vmConfig)
  readPart(directory, 'state', anything)
  try {
    statSync(join(directory, 'memory-ranges'))
  } catch (error) {
    vmm.emit('deleted')
    throw failed('Memory manager error', 'Error opening snapshot file', describeSystemError(error))
  }
  await vmm.restore(config, directory)
  if (resume) await vmm.resume()
}

function openDirectory(url: string, outer: readonly string[]): string {
  if (!url.startsWith(SCHEME)) throw failed(...outer, `Could not extract path from URL: ${url}`)
  const path = url.slice(SCHEME.length)
  const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
  if (!isDirectory) throw failed(...outer, `Destination is not a directory: ${JSON.stringify(path)}`)
  return path
}

function readPart<T>(directory: string, part: 'config' | 'state', type: Type<T>): T {
  const path = join(directory, `${part}.json`)
  const fail = (...chain: string[]): ApiError =>
    failed('Cannot restore VM', 'Failed to receive migratable component snapshot', ...chain)
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw fail(`Error opening VM ${part} snapshot file ${JSON.stringify(path)}`, describeSystemError(error))
  }
  try {
    return readJson(type, new JsonReader(bytes))
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    throw fail(`Error deserialising VM ${part} snapshot`, error.message)
  }
}
