import { BoxRuntime } from 'boxledger'

/** Opens a home, prints for how many `ms`, and closes it. */
const began = performance.now()
const runtime = await BoxRuntime.open({ home: process.argv[2] as string })
const ms = performance.now() - began
await runtime.close()
console.log(ms)
