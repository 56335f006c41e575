import { open } from 'node:fs/promises'

/** Writes a file that must not be there yet, for this user alone, and has it on the disk. */
export async function writeSynced(path: string, data: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(data)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Has what is in a file, or which names are in a directory, on the disk. */
export async function sync(path: string): Promise<void> {
  const opened = await open(path, 'r')
  try {
    await opened.sync()
  } finally {
    await opened.close()
  }
}
