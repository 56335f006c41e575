import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { seal, unseal } from './codec.ts'

/** End of the global chain. */
export interface Tail {
  /** last position; 0: no record */
  readonly position: number
  /** hash of the last frame */
  readonly hash: string
}

/**
 * The small file beside the database that remembers how far the ledger went, so that one that was cut off is noticed:
 * a chain of hashes alone cannot tell.
 *
 *   offset 0     slot: checksum, position in hex, space, hash, line feed
 *   offset 512   slot
 *
 * Written in turns after each flush, without a sync: it may be behind the ledger, never ahead of it. A write that was
 * torn spoils one slot and leaves the other.
 */
export interface TailFile {
  /** what was found when it was opened; undefined: nothing readable */
  readonly found: Tail | undefined
  /** `new`: made just now; `damaged`: no slot was readable */
  readonly condition: 'good' | 'new' | 'damaged'
  /** what it holds now */
  read(): Tail | undefined
  /** never throws */
  write(tail: Tail): void
  /** why the last write that failed did, if one did */
  readonly failure: unknown
  /** writes and syncs; once for each opening, not for each flush */
  sync(tail: Tail): void
  close(): void
}

const slotBytes = 512

export function openTailFile(path: string): TailFile {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  const { newest, tail: found } = readSlots(fd)
  let failure: unknown
  let next = 1 - newest
  const write = ({ position, hash }: Tail) => {
    const text = `${seal(`${position.toString(16).padStart(14, '0')} ${hash}`)}\n`
    writeSync(fd, text, next * slotBytes, 'latin1')
    next = 1 - next
  }
  const tryWrite = (tail: Tail) => {
    try {
      write(tail)
    } catch (error) {
      // The record is durable without it; only a loss of the ledger's end would go unnoticed. `verify` tells.
      failure = error
    }
  }
  return {
    found,
    condition: found ? 'good' : fstatSync(fd).size === 0 ? 'new' : 'damaged',
    read: () => readSlots(fd).tail,
    write: tryWrite,
    get failure() {
      return failure
    },
    sync(tail) {
      write(tail)
      write(tail)
      fsyncSync(fd)
    },
    close: () => closeSync(fd),
  }
}

/** What a tail file holds, without touching it; undefined: it is not there, or nothing in it is readable. */
export function readTailFile(path: string): Tail | undefined {
  if (!existsSync(path)) return undefined
  const fd = openSync(path, constants.O_RDONLY)
  try {
    return readSlots(fd).tail
  } finally {
    closeSync(fd)
  }
}

function readSlots(fd: number): { newest: number; tail: Tail | undefined } {
  const slots = [readSlot(fd, 0), readSlot(fd, 1)]
  const newest = (slots[1]?.position ?? -1) > (slots[0]?.position ?? -1) ? 1 : 0
  return { newest, tail: slots[newest] }
}

function readSlot(fd: number, slot: number): Tail | undefined {
  const bytes = Buffer.alloc(slotBytes)
  const length = readSync(fd, bytes, 0, slotBytes, slot * slotBytes)
  const line = bytes.toString('latin1', 0, length).split('\n')[0] ?? ''
  const [position = '', hash = ''] = unseal(line)?.split(' ') ?? []
  return hash.length === 64 ? { position: Number.parseInt(position, 16), hash } : undefined
}
