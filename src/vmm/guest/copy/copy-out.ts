import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { BoxError } from '../../../machines/index.ts'
import { type Copying, endings, failureOf, stop, teller, withProgram } from './copying.ts'
import { finalPath, putInPlace } from './place.ts'
import { unpackFromGuest } from './unpack.ts'

/** $1: directory; $2: name of what is in it. */
const script = `
cd "$1" 2>/dev/null || exit ${endings.missing}
[ -e "./$2" ] || [ -L "./$2" ] || exit ${endings.missing}
exec tar -c -f - "./$2"
`

/**
 * Copies a file, a link or a directory out of a guest, with modes, times and links; owned by this process's user. A
 * directory at `to` takes it, else it gets that name. It is unpacked beside its place, and named when it is whole.
 *
 * @throws BoxError NOT_FOUND, INVALID_ARGUMENT, NO_SPACE, GUEST_UNREACHABLE, ABORTED
 */
export async function copyOut(copying: Copying): Promise<void> {
  const { from, to } = copying
  const source = posix.resolve('/', from)
  const name = posix.basename(source)
  if (name === '') throw new BoxError('INVALID_ARGUMENT', 'A whole file system cannot be copied')
  let stage: string | undefined
  try {
    await withProgram(copying, from, script, [posix.dirname(source), name], async (program, said) => {
      const final = await finalPath(to, name)
      await mkdir(dirname(final), { recursive: true })
      stage = await mkdtemp(join(dirname(final), '.boxledger-'))
      const mishap = await unpackFromGuest(program.stdout, stage, name, teller(copying)).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (mishap !== undefined) await stop(copying.channel, program)
      const end = await program.ended
      // A guest that has nothing to send ends before it sends anything: its word is the better one.
      if (mishap !== undefined && (end.exitCode ?? 0) <= 1) throw mishap
      if (end.exitCode !== 0)
        throw failureOf(end.exitCode === 1 ? { exitCode: endings.archive } : end, await said, from)
      await putInPlace(join(stage, name), final)
    })
  } finally {
    // What is left in it is in nobody's way.
    if (stage !== undefined) await rm(stage, { recursive: true, force: true, maxRetries: 3 }).catch(() => {})
  }
}
