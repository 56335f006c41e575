import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { type LiveVmm, vmmsOf } from './vmms.ts'

/** A VMM with what it says of its VM itself; `none`: it has none, or does not answer. */
export interface VmmInWorld extends LiveVmm {
  readonly vm: 'none' | 'Created' | 'Running' | 'Paused' | 'Shutdown'
}

/** What the host has of a home, whatever its ledger says. */
export interface World {
  readonly vmms: readonly VmmInWorld[]
  /** run directories in which a VMM was to live */
  readonly runs: readonly { readonly box: string; readonly incarnation: number }[]
}

export async function lookAround(home: string): Promise<World> {
  const vmms = await Promise.all(
    vmmsOf(home).map(async vmm => ({
      ...vmm,
      vm: await vmOf(join(home, 'boxes', vmm.box, String(vmm.incarnation))),
    })),
  )
  const runs = namesIn(join(home, 'boxes')).flatMap(box =>
    namesIn(join(home, 'boxes', box))
      .filter(name => /^\d+$/.test(name) && existsSync(join(home, 'boxes', box, name, 'alive')))
      .map(name => ({ box, incarnation: Number(name) })),
  )
  return { vmms, runs }
}

export function namesIn(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir) : []
}

/** How often an event is in the event monitor's file of an incarnation. */
export function eventsIn(home: string, box: string, incarnation: number, name: string): number {
  const path = join(home, 'boxes', box, String(incarnation), 'events')
  if (!existsSync(path)) return 0
  return readFileSync(path, 'latin1').split(new RegExp(`"event":\\s*"${name}"`)).length - 1
}

async function vmOf(dir: string): Promise<VmmInWorld['vm']> {
  const text = await new Promise<string>(resolve => {
    const asked = request({ socketPath: join(dir, 'api.sock'), path: '/api/v1/vm.info', agent: false })
    asked.setTimeout(2_000, () => asked.destroy())
    asked.on('error', () => resolve(''))
    asked.on('response', response => {
      let body = ''
      response.on('data', piece => {
        body += piece
      })
      response.on('close', () => resolve(response.statusCode === 200 ? body : ''))
    })
    asked.end()
  })
  return text === '' ? 'none' : (JSON.parse(text) as { state: VmmInWorld['vm'] }).state
}
