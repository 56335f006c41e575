#!/usr/bin/env node
import { parseFlags } from './flags.ts'

// Everything this program makes is its user's only: sockets 0700, files 0600.
process.umask(0o077)

const parsed = parseFlags(process.argv.slice(2))
if ('stream' in parsed) {
  process[parsed.stream].write(parsed.text)
  process.exitCode = parsed.code
} else {
  const { run } = await import('./program.ts')
  await run(parsed)
}
