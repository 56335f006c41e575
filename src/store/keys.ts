/**
 * Layout of the ledger's database. Every key is built here. Keys and values are UTF-8 text; numbers in keys are 14 hex
 * digits, so that the order of keys is the order of numbers up to 2^53.
 *
 *   key                            value                                          what it is
 *   f/POSITION                     {position, prev, bodyHash, box, version}       frame: the global chain
 *   b/STREAM/VERSION/POSITION      {box, version, prevBody, at, event, from,      body: the stream's chain
 *                                   to, effects, timers, meta}
 *                                  or @SEGMENT:OFFSET:LENGTH                      where it is in the archive
 *   h/STREAM                       sealed head                                    what is not over
 *   r/STREAM                       sealed head                                    removed boxes, ended executions
 *   k/STREAM/VERSION               sealed head                                    checkpoints: heads of the past
 *   x/BOX                          sealed number                                  executions of boxes not removed
 *   n/NAME                         sealed box ID                                  names of boxes that are not removed
 *   c/COMMAND                      sealed {box, position}                         what a command ID has led to
 *   m/format                       number                                         version of this layout
 *   m/schema                       sealed {level, engine, …}                      what events and states are written as
 *   m/importing                    sealed {at, engine}                            nothing counts: it is being imported
 *   m/home                         sealed identity of a directory                 where the ledger is at home
 *   m/owner/EPOCH                  sealed ownership                               journal: opened, closed
 *   m/segment/NUMBER               sealed {records, bytes, sha256, …}             journal: archived
 *   m/compacted                    sealed {at, before, after}                     journal: last compacted
 *   m/repaired/NUMBER              sealed {at, engine, from, …}                   journal: repaired
 *   m/loss/POSITION                sealed {from, to, what, hash}                  what a repair could not save
 *   m/parked/BOX                   sealed {position, reason}                      boxes that it has parked for that
 *   m/ack/NAME                     sealed {acknowledged, from, filter}            how far a reader has come
 *
 * A stream is that of a box, by its ID, or that of an execution, `BOX.EXECUTION`; wherever it is stored it stands in
 * the field `box`.
 *
 * Frames and bodies are proven by their hashes: a frame by `prev` of the next one (the last by `ledger.tail`), a body
 * by `bodyHash` of its frame. What is sealed carries a checksum. The position in a body's key makes one box readable
 * without a second index.
 */

/** Limits of a scan, as an iterator takes them. */
export interface Range {
  readonly gte: string
  readonly lt: string
}

const digits = 14
const fixed = (n: number): string => n.toString(16).padStart(digits, '0')

export const formatKey = 'm/format'
export const schemaKey = 'm/schema'
/** While an import is under way: nothing in the database counts. */
export const importingKey = 'm/importing'
export const homeKey = 'm/home'
export const compactedKey = 'm/compacted'

export function frameKey(position: number): string {
  return `f/${fixed(position)}`
}

export function bodyKey(box: string, version: number, position: number): string {
  return `b/${box}/${fixed(version)}/${fixed(position)}`
}

export function headKey(box: string): string {
  return `h/${box}`
}

export function removedKey(box: string): string {
  return `r/${box}`
}

export function checkpointKey(stream: string, version: number): string {
  return `k/${stream}/${fixed(version)}`
}

export function executionsKey(box: string): string {
  return `x/${box}`
}

export function nameKey(name: string): string {
  return `n/${name}`
}

export function commandKey(commandId: string): string {
  return `c/${commandId}`
}

export function ownerKey(epoch: number): string {
  return `m/owner/${fixed(epoch)}`
}

export function segmentKey(segment: number): string {
  return `m/segment/${fixed(segment)}`
}

export function repairedKey(repair: number): string {
  return `m/repaired/${fixed(repair)}`
}

export function lossKey(from: number): string {
  return `m/loss/${fixed(from)}`
}

export function parkedKey(box: string): string {
  return `m/parked/${box}`
}

export function acknowledgementKey(name: string): string {
  return `m/ack/${name}`
}

/** `0` follows `/` in the order of bytes. */
const all = (prefix: string): Range => ({ gte: `${prefix}/`, lt: `${prefix}0` })

export const frames = all('f')
export const bodies = all('b')
export const livingHeads = all('h')
export const removedHeads = all('r')
export const checkpoints = all('k')
export const executionCounts = all('x')
export const names = all('n')
export const commands = all('c')
export const owners = all('m/owner')
export const segments = all('m/segment')
export const repairs = all('m/repaired')
export const losses = all('m/loss')
export const parkedBoxes = all('m/parked')
export const acknowledgements = all('m/ack')
export const journal = all('m')

/** Frames from one position to another, both inclusive. */
export function framesBetween(from: number, to: number): Range {
  return { gte: frameKey(from), lt: frameKey(to + 1) }
}

export function bodiesOf(stream: string, fromVersion = 0): Range {
  return { gte: `b/${stream}/${fixed(fromVersion)}`, lt: `b/${stream}0` }
}

/** Up to a version, inclusive. */
export function checkpointsUntil(stream: string, version: number): Range {
  return { gte: checkpointKey(stream, 0), lt: checkpointKey(stream, version + 1) }
}

/** Of a box's executions, of each after the other. */
export function bodiesOfExecutions(box: string): Range {
  return { gte: `b/${box}.`, lt: `b/${box}/` }
}

export function positionOfFrameKey(key: string): number {
  return Number.parseInt(key.slice(2), 16)
}

/** Parts of a body's key. */
export function partsOfBodyKey(key: string): { box: string; version: number; position: number } {
  const [, box = '', version = '', position = ''] = key.split('/')
  return { box, version: Number.parseInt(version, 16), position: Number.parseInt(position, 16) }
}

/** What keys of a stream's bodies begin with. */
export function bodyPrefix(stream: string): string {
  return `b/${stream}/`
}

/** Version and position of a body's key that begins so. */
export function placeOfBodyKey(key: string, prefix: string): { version: number; position: number } {
  const version = Number.parseInt(key.slice(prefix.length, prefix.length + digits), 16)
  return { version, position: Number.parseInt(key.slice(-digits), 16) }
}

export function epochOfOwnerKey(key: string): number {
  return Number.parseInt(key.slice('m/owner/'.length), 16)
}

/** What a key of the journal ends with: a number. */
export function numberOfKey(key: string): number {
  return Number.parseInt(key.slice(key.lastIndexOf('/') + 1), 16)
}

export function nameOfAcknowledgementKey(key: string): string {
  return key.slice(acknowledgements.gte.length)
}

/** What follows the first slash: a box ID, a name or a command ID. */
export function suffixOf(key: string): string {
  return key.slice(key.indexOf('/') + 1)
}
