#!/usr/bin/env node
import { watchSignals } from './interrupt.ts'
import { makeOutput } from './output.ts'
import { runCommand } from './program.ts'

const stop = watchSignals(process)
const output = makeOutput({ stdout: process.stdout, stderr: process.stderr, env: process.env, stop })
process.exitCode = await runCommand(process.argv.slice(2), { output, stop: stop.signal })
