import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'

/** Mount points at or below a directory, from the text of `/proc/self/mountinfo`, innermost first. */
export const mountsBelow = (dir: string, mountinfo: string): string[] =>
  mountinfo
    .split('\n')
    .map(line =>
      (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, code) =>
        String.fromCharCode(Number.parseInt(code, 8)),
      ),
    )
    .filter(point => point === dir || point.startsWith(`${dir}/`))
    .reverse()

export const findMounts = (dir: string): string[] =>
  mountsBelow(dir, readFileSync('/proc/self/mountinfo', 'utf8'))

/** Unmounts everything below a directory; gives what could not be unmounted. */
export const removeMounts = async (dir: string): Promise<string[]> => {
  const stuck: string[] = []
  for (const point of findMounts(dir)) {
    await promisify(execFile)('umount', ['--lazy', '--', point], { timeout: 10_000 }).catch(
      (error: unknown) => {
        stuck.push(`${point}: ${String(error)}`)
      },
    )
  }
  return stuck
}
