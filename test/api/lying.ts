import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Box, BoxOptions, BoxRuntime } from 'boxledger'
import { smallGuest } from '../support/vmms.ts'

/** The emulator without a guest, as `vmm.binary`: what it does wrong each box says for itself. */
export const liar = [process.execPath, fileURLToPath(new URL('../vmm/liar.js', import.meta.url))]

/** A box whose VMM has these faults. */
export const liarOf = async (
  runtime: BoxRuntime,
  home: string,
  faults: readonly string[],
  options: BoxOptions = {},
): Promise<Box> => {
  const box = await runtime.create({ image: smallGuest('tick'), memoryMib: 64, ...options })
  mkdirSync(join(home, 'lies'), { recursive: true })
  writeFileSync(join(home, 'lies', box.id), JSON.stringify(faults))
  return box
}

/** Processes whose command line holds a text. */
export const processesOf = (text: string): number[] =>
  readdirSync('/proc').flatMap(name => {
    try {
      const isOne = /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(text)
      return isOne ? [Number(name)] : []
    } catch {
      return [] // it has ended
    }
  })

/** Asks a box for something again and again; `stop` gives the longest that it took, in `ms`. */
export const busy = (box: Box): { stop(): Promise<number> } => {
  let over = false
  let longest = 0
  const done = (async () => {
    for (; !over; await new Promise(resolve => setTimeout(resolve, 50))) {
      const began = performance.now()
      await box.pause()
      await box.resume()
      longest = Math.max(longest, performance.now() - began)
    }
  })()
  return {
    stop: async () => {
      over = true
      await done
      return longest
    },
  }
}
