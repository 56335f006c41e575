import { BoxRuntime, InteractiveBox } from 'boxledger'

// A program with an interactive box, through the owner of a home: `HOME NAME [SHELL…]`.
const [home = '', name = '', ...shell] = process.argv.slice(2)
await using runtime = await BoxRuntime.connect({ home })
await using box = new InteractiveBox({ name, ...(shell.length > 0 ? { shell } : {}) }, runtime)
await box.start()
console.log(`raw: ${process.stdin.isRaw ?? 'no terminal'}`)
const { exitCode, state } = await box.wait()
console.log(
  `raw: ${process.stdin.isRaw ?? 'no terminal'}; the shell ended with ${exitCode}; the box is ${state}`,
)
