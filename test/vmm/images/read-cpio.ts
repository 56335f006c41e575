export interface ReadEntry {
  readonly path: string
  /** Type and permissions, as `st_mode` */
  readonly mode: number
  readonly owner: readonly [number, number]
  readonly device: readonly [number, number]
  readonly data: Buffer
}

/**
 * Reads archives that follow one another as Linux does: each starts at a multiple of 4, zeros between them are passed
 * over. Written apart from the writer, so that both do not share a mistake.
 */
export function readCpio(bytes: Buffer): ReadEntry[][] {
  const archives: ReadEntry[][] = []
  let at = 0
  const align = () => {
    at += (4 - (at % 4)) % 4
  }
  while (at < bytes.length) {
    if (bytes[at] === 0) {
      at++
      continue
    }
    if (at % 4 !== 0) throw new Error(`an archive starts at ${at}`)
    const entries: ReadEntry[] = []
    for (;;) {
      if (bytes.toString('latin1', at, at + 6) !== '070701') throw new Error(`no entry at ${at}`)
      const field = (i: number) =>
        Number.parseInt(bytes.toString('latin1', at + 6 + 8 * i, at + 14 + 8 * i), 16)
      const [mode, uid, gid, size, major, minor, nameSize] = [1, 2, 3, 6, 9, 10, 11].map(field) as [
        ...[number, number, number, number, number, number, number],
      ]
      at += 110
      const path = bytes.toString('utf8', at, at + nameSize - 1)
      if (bytes[at + nameSize - 1] !== 0) throw new Error(`the name ${path} does not end`)
      at += nameSize
      align()
      const data = bytes.subarray(at, at + size)
      at += size
      align()
      if (path === 'TRAILER!!!') break
      entries.push({ path, mode, owner: [uid, gid], device: [major, minor], data })
    }
    archives.push(entries)
  }
  return archives
}
