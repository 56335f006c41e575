// @timeout 900
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { LedgerRecord } from 'boxledger/machines'
import * as assert from 'uvu/assert'
import { sized } from '../support/long.ts'
import { makeRandom, takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { canMount, withTmpfs } from '../support/tmpfs.ts'
import { all, open } from './boxes.ts'

const test = suite('races')
const program = fileURLToPath(new URL('./racer.js', import.meta.url))

/** What both racers have said so far. */
class Race {
  readonly #home: string
  readonly #witness: string
  readonly #racers: ChildProcessByStdio<null, Readable, null>[] = []
  readonly durable: { position: number; hash: string; box: string }[] = []
  readonly two: string[] = []
  took = 0
  refused = 0
  #heard: () => void = () => {}

  constructor(home: string, witness: string) {
    this.#home = home
    this.#witness = witness
  }

  start(): void {
    const racer = spawn(process.execPath, [program, this.#home, this.#witness], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    createInterface({ input: racer.stdout }).on('line', line => {
      const [what, ...words] = line.split(' ')
      if (what === 'took') this.took += 1
      if (what === 'refused') this.refused += 1
      if (what === 'two') this.two.push(line)
      // The last line may be cut off by a kill, and a line that is cut off was not told.
      if (what === 'durable' && words[2] !== undefined && /-\d$/.test(words[2]))
        this.durable.push({ position: Number(words[0]), hash: words[1] ?? '', box: words[2] })
      this.#heard()
    })
    racer.once('exit', (code, signal) => {
      if (signal !== 'SIGKILL') this.two.push(`a racer ended by itself: ${code ?? signal}`)
      this.#heard()
    })
    this.#racers.push(racer)
  }

  /** Resolves when the home has been taken so often, by whomever. */
  async until(took: number): Promise<void> {
    while (this.took < took && this.two.length === 0)
      await new Promise<void>(resolve => {
        this.#heard = resolve
      })
  }

  /** SIGKILL to the one that has raced for longer. */
  async kill(): Promise<void> {
    const racer = this.#racers.shift()
    if (racer === undefined) return
    const ended = once(racer, 'close')
    racer.kill('SIGKILL')
    await ended
  }
}

const inMemory = (body: (dir: string) => Promise<void>): Promise<void> =>
  canMount() ? withTmpfs(256, ({ dir }) => body(dir)) : withTempDir(body)

test('of two who race for a home there is one writer at any time, also when they are killed', () =>
  inMemory(async dir => {
    const random = makeRandom(takeSeed())
    const races = sized(40, 1_000)
    const home = join(dir, 'home')
    const race = new Race(home, join(dir, 'witness'))
    race.start()
    race.start()
    let kills = 0
    // On a busy machine it may take longer until they meet for the first time.
    const isOver = () => (race.took >= races && race.refused > 0) || race.two.length > 0
    for (let next = 0; !isOver(); kills += 1) {
      next = race.took + 1 + random.below(20)
      await race.until(next)
      await race.kill()
      race.start()
    }
    await race.kill()
    await race.kill()
    assert.equal(race.two, [], 'never two at a time')

    const ledger = await open(home)
    const records = await all(ledger.read())
    for (const { position, hash, box } of race.durable) {
      assert.is(records[position - 1]?.hash, hash)
      assert.is(records[position - 1]?.box, box)
    }
    holdEpochs(records)
    assert.equal((await ledger.verify({ replay: true })).problems, [])
    // An owner that was killed before it wrote has had its epoch too.
    assert.ok(ledger.epoch > race.took, `${ledger.epoch} epochs, ${race.took} owners`)
    await ledger.close()
    console.log(
      `races for a home: ${race.took} won, ${race.refused} refused, ${kills} winners or losers killed; ` +
        `${race.durable.length} records told as durable, all there; never two writers`,
    )
  }))

/** Epochs never go down, and each has one writer. */
function holdEpochs(records: readonly LedgerRecord[]): void {
  const writers = new Map<number, string>()
  let last = 0
  for (const { position, meta } of records) {
    assert.ok(meta.epoch >= last, `epoch ${meta.epoch} at ${position} follows ${last}`)
    last = meta.epoch
    const writer = writers.get(meta.epoch) ?? meta.engine
    assert.is(meta.engine, writer, `epoch ${meta.epoch} at ${position}`)
    writers.set(meta.epoch, writer)
  }
}

test.run()
