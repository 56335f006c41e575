import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { commandLineOf, processesOf } from './proc.ts'

/** A home for a minute. Its path is short, since those of Unix sockets end at 107 bytes. */
export interface Place {
  readonly home: string
}

const longestParent = 30

export function makePlace(): Place {
  const parent = tmpdir().length <= longestParent ? tmpdir() : '/tmp'
  return { home: mkdtempSync(join(parent, 'boxledger-')) }
}

/** Removes the home, and first what still runs in it; names what should have been gone by then. */
export async function clear({ home }: Place): Promise<string[]> {
  const left = processesOf(home)
  const named = left.map(({ pid }) => `process ${pid}: ${commandLineOf(pid).slice(0, 100)}`)
  // All of these name a directory in their command line that is this run's alone.
  for (const { pid } of left) process.kill(pid, 'SIGKILL')
  for (let tries = 0; tries < 100 && processesOf(home).length > 0; tries += 1) await delay(20)
  const boxes = join(home, 'boxes')
  if (existsSync(boxes)) named.push(...readdirSync(boxes).map(id => `files of box ${id}`))
  rmSync(home, { recursive: true, force: true, maxRetries: 3 })
  return named
}
