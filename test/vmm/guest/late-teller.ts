import { connectGuest } from '../../../src/vmm/guest/channel.ts'

/** Tells the agent behind a socket who it is, with nothing else to live for, and prints what the agent says of it. */
const [path = ''] = process.argv.slice(2)
let answer: Promise<string | undefined> | undefined
const channel = await connectGuest(path, new AbortController().signal, {
  first: reached => {
    answer = reached.setRight(Buffer.from('you'))
  },
})
process.stdout.write(`${await answer}`)
channel.close()
