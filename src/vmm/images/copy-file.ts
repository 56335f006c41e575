import { makeOwnFile } from '../files/own-file.ts'
import { runTool } from './host-tool.ts'

export interface CopyOptions {
  readonly signal?: AbortSignal | undefined
  /** the copy is on the disk when this is done; default true */
  readonly synced?: boolean
}

/**
 * Copies a file to a new one that is this user's alone. Shares the blocks where the file system can; else holes stay
 * holes, so that a disk that is mostly empty takes little room. Throws ImageError.
 */
export async function copyLargeFile(
  from: string,
  to: string,
  { signal, synced = true }: CopyOptions = {},
): Promise<void> {
  const file = await makeOwnFile(to)
  try {
    // The file that was made here, whatever may have its name by now.
    const args = ['--reflink=auto', '--sparse=auto', '--', from, '/proc/self/fd/3']
    await runTool({ command: 'cp', args, package: 'coreutils', signal, descriptors: [file.fd] })
    if (synced) await file.sync()
  } finally {
    await file.close()
  }
}
