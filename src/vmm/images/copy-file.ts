import { makeOwnFile } from '../files/own-file.ts'
import { runTool } from './host-tool.ts'
import { sync } from './synced.ts'

/**
 * Copies a file to a new one that is this user's alone, and has it on the disk. Shares the blocks where the file system
 * can; else holes stay holes, so that a disk that is mostly empty takes little room. Throws ImageError.
 */
export async function copyLargeFile(from: string, to: string, signal?: AbortSignal): Promise<void> {
  await makeOwnFile(to).then(file => file.close())
  const args = ['--reflink=auto', '--sparse=auto', '--', from, to]
  await runTool({ command: 'cp', args, package: 'coreutils', signal })
  await sync(to)
}
