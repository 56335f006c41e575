// A live session of Stately's inspector on a running engine: a box's states, its events and the actors that drive it, in
// a browser, as they happen. It shows all that boxes are made of and listens on all addresses: for development only.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createWebSocketInspector } from '@statelyai/inspect'
import { createInspectorServer } from '@statelyai/inspect/server'
import { BoxRuntime } from 'boxledger'

const port = Number(process.env.PORT ?? 8080)
const home = process.env.BOXLEDGER_HOME ?? mkdtempSync(join(tmpdir(), 'boxes-'))

/** Passes on what it is told to the pages that are open; the first of them may come later. */
const server = createInspectorServer({ port, autoOpen: false })
const inspector = createWebSocketInspector({ url: `ws://localhost:${port}` })
const runtime = await BoxRuntime.open({ home, inspect: inspector.inspect, onProgress: console.error })

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const enter = async (what: string) => {
  console.log(`${what}, then press Enter`)
  await lines.next()
}
try {
  await enter(`open http://localhost:${port} in a browser`)
  const box = await runtime.create({ name: 'inspected', memoryMib: 128 })
  // Who asks for a box's actor sees it: it follows the ledger, and its machine can be drawn.
  box.actor.subscribe(({ value }) => console.log(JSON.stringify(value)))
  await box.start()
  await box.stop()
  await box.remove()
  await enter('look around')
} finally {
  inspector.stop()
  server.stop()
  await runtime.close()
  if (home !== process.env.BOXLEDGER_HOME) rmSync(home, { recursive: true })
}
// Pages that are still open would keep it.
process.exit()
