import { readTarEntries } from '../files/tar-reader.ts'

export interface TarFile {
  /** Path without a leading `./` */
  readonly path: string
  readonly data: Buffer
}

/**
 * The regular files of an archive whose path `wanted` accepts; the others are passed over without being kept in memory.
 * Rejects for what is no archive, and for one that is cut off.
 */
export async function readTar(
  input: AsyncIterable<Uint8Array>,
  wanted: (path: string) => boolean,
): Promise<TarFile[]> {
  const files: TarFile[] = []
  for await (const { path, type, content } of readTarEntries(input)) {
    if ((type !== 'File' && type !== 'OldFile') || !wanted(path)) continue
    const parts: Buffer[] = []
    for await (const part of content) parts.push(Buffer.from(part))
    files.push({ path, data: Buffer.concat(parts) })
  }
  return files
}
