import { lstat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { BoxError } from '../../../machines/index.ts'
import { type Copying, endings, failureOf, teller, withProgram } from './copying.ts'
import { packTree } from './pack.ts'

/**
 * $1: where to; $2: name of what comes. It is unpacked beside its place and named when it is whole; what is put into a
 * directory that is there already takes the places of files of the same names, one after the other.
 */
const script = `
to=$1 name=$2
case $to in
*/) final=$to$name ;;
*) if [ -d "$to" ] && [ ! -L "$to" ]; then final=$to/$name; else final=$to; fi ;;
esac
parent=\${final%/*}
[ -n "$parent" ] || parent=/
mkdir -p -- "$parent" || exit ${endings.place}
stage=$(mktemp -d -p "$parent" .boxledger-XXXXXX) || exit ${endings.place}
trap 'rm -rf -- "$stage"' EXIT
trap 'exit 143' HUP INT TERM
tar -x -o -p -f - -C "$stage" || exit ${endings.archive}
put() {
  local from=$1 to=$2 entry
  if [ -d "$from" ] && [ ! -L "$from" ]; then
    if [ ! -e "$to" ] && [ ! -L "$to" ]; then
      mv -T -- "$from" "$to" || exit ${endings.place}
      return
    fi
    [ -d "$to" ] || exit ${endings.kind}
    for entry in "$from"/* "$from"/.[!.]* "$from"/..?*; do
      if [ -e "$entry" ] || [ -L "$entry" ]; then put "$entry" "$to/\${entry##*/}"; fi
    done
  else
    [ ! -d "$to" ] || [ -L "$to" ] || exit ${endings.kind}
    mv -f -T -- "$from" "$to" || exit ${endings.place}
  fi
}
put "$stage/$name" "$final"
`

/**
 * Copies a file, a link or a directory into a guest, with modes, times and links; owned by root there. A directory at
 * `to` takes it, else it gets that name.
 *
 * @throws BoxError NOT_FOUND, INVALID_ARGUMENT, NO_SPACE, GUEST_UNREACHABLE, ABORTED
 */
export async function copyIn(copying: Copying): Promise<void> {
  const { from, to } = copying
  const source = resolve(from)
  const name = basename(source)
  if (name === '') throw new BoxError('INVALID_ARGUMENT', 'A whole file system cannot be copied')
  const found = await lstat(source).catch((cause: Error) => {
    throw new BoxError('NOT_FOUND', `${from} cannot be copied: ${cause.message}`, { cause })
  })
  if (!found.isFile() && !found.isDirectory() && !found.isSymbolicLink())
    throw new BoxError('INVALID_ARGUMENT', `${from} is neither file nor directory nor link`)
  await withProgram(copying, from, script, [to, name], async (program, said) => {
    program.stdout.discard()
    const tell = teller(copying)
    let entries = 0
    const archive = async function* () {
      for await (const bytes of packTree(dirname(source), name, () => entries++)) {
        yield bytes
        tell(bytes.length, entries)
      }
    }
    const sent = pipeline(archive, program.stdin)
    sent.catch(() => {}) // a guest that ends before it has all tells why
    const end = await Promise.race([program.ended, sent.then(() => program.ended)])
    if (end.exitCode !== 0) throw failureOf(end, await said, to)
    await sent
  })
}
