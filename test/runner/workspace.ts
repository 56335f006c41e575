import { mkdtemp, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

export interface Workspace {
  /** The file's private TMPDIR, short enough for Unix sockets below it */
  readonly dir: string
  /** Where the file's output goes, beside the directory */
  readonly outputPath: string
  readonly env: NodeJS.ProcessEnv
}

// Sockets' paths are limited to 107 bytes, and tests want most of them for themselves.
const LONGEST_PARENT = 60

/** Makes what one test file runs in. Home and state directories point into its TMPDIR, so that nothing is left there either. */
export const makeWorkspace = async (id: string): Promise<Workspace> => {
  const parent = tmpdir().length <= LONGEST_PARENT ? tmpdir() : '/tmp'
  const dir = await mkdtemp(path.join(parent, 'bl-'))
  const outputPath = `${dir}.out`
  await (await open(outputPath, 'wx', 0o600)).close()

  const env: NodeJS.ProcessEnv = {}
  for (const [name, value] of Object.entries(process.env)) {
    if (/^(XDG_|FORCE_COLOR$|BOXLEDGER_HOME$|BOXLEDGER_TEST_LIMIT$)/.test(name)) continue
    env[name] = value
  }
  Object.assign(env, { TMPDIR: dir, HOME: dir, NO_COLOR: '1', BOXLEDGER_TEST_RUN: id })
  return { dir, outputPath, env }
}
