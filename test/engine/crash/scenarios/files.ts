import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { BoxError, BoxRuntime } from 'boxledger'
import { eventually } from '../../../support/eventually.ts'
import { type Scenario, small, started } from '../scenario.ts'

const secrets = { env: { TOKEN: { secret: 'token' } }, secrets: { token: 'correct-horse' } } as const

const ignoring = (code: 'NAME_TAKEN' | 'COMMIT_UNKNOWN' | 'ENGINE_FAILED') => (error: unknown) => {
  if (!BoxError.is(error, code)) throw error
}

const tooLong = 17 << 20

const offsetsOf = (dir: string, name: string) =>
  readdirSync(dir).flatMap(file =>
    file.startsWith(`${name}.cut-`) ? Number(file.slice(name.length + 5)) : [],
  )

/** Makes a file longer than it may be, once and again, as its writer does, who goes on where it was. */
async function growAndBeCut(dir: string, name: string, times: number): Promise<void> {
  const path = join(dir, name)
  truncateSync(path, times * tooLong)
  await eventually(() => offsetsOf(dir, name).includes(times * tooLong) && statSync(path).size === 0)
}

/** What is done to the files of a home and to its ledger. */
export const files: Record<string, Scenario> = {
  'a new home': {
    fromOpening: true,
    async run({ runtime, acknowledge, acknowledgeRemoval }) {
      const kept = await runtime.create({ ...small(), ...secrets, name: 'kept' })
      await acknowledge(kept)
      await runtime.create({ ...small(), ...secrets, name: 'kept' }).catch(ignoring('NAME_TAKEN'))
      await runtime.rename(kept.id, 'renamed')
      await acknowledge(kept)
      const gone = await runtime.create({ ...small(), ...secrets })
      await gone.remove()
      acknowledgeRemoval(gone.id)
      await runtime.close()
    },
  },
  'a write that is rejected': {
    async run({ runtime, begin, acknowledge, rejectNextFlush }) {
      const box = await runtime.create(small())
      await acknowledge(box)
      begin()
      rejectNextFlush()
      await runtime.rename(box.id, 'perhaps').catch(ignoring('COMMIT_UNKNOWN'))
      await eventually(() => runtime.rename(box.id, 'renamed').then(() => true))
      await acknowledge(box)
    },
  },
  'files that cannot be deleted': {
    async run({ home, runtime, begin, acknowledge }) {
      const box = await runtime.create(small())
      await acknowledge(box)
      mkdirSync(join(home, 'secrets', box.id), { recursive: true, mode: 0o700 })
      begin()
      await box.remove().catch(ignoring('ENGINE_FAILED'))
    },
    mend(home) {
      for (const name of readdirSync(join(home, 'secrets'))) rmdirSync(join(home, 'secrets', name))
    },
  },
  'files that grow': {
    async run({ home, runtime, begin, acknowledge }) {
      const box = await started(runtime)
      await acknowledge(box)
      const dir = join(home, 'boxes', box.id, '1')
      // Then the guest says nothing more by itself.
      await eventually(() => readFileSync(join(dir, 'serial.log'), 'latin1').includes('guest: idle'))
      begin()
      await growAndBeCut(dir, 'out', 1)
      await growAndBeCut(dir, 'serial.log', 1)
      await growAndBeCut(dir, 'serial.log', 2)
      await eventually(() => offsetsOf(dir, 'serial.log').length === 1)
      // Looked at once more, it turns out to be one that is appended to.
      await eventually(() => {
        writeFileSync(join(dir, 'touched'), '')
        return offsetsOf(dir, 'out').includes(0)
      })
    },
  },
  'an archiving and a compaction': {
    async prepare(home, binary) {
      await using runtime = await BoxRuntime.open({ home, vmm: { binary } })
      await runtime.create({ ...small(), name: 'kept' })
      for (let n = 0; n < 3; n += 1) await (await runtime.create(small())).remove()
      mkdirSync(join(home, 'archive'), { mode: 0o700 })
      writeFileSync(join(home, 'archive', '000001.ndjson.new'), 'half of a segm')
    },
    async run({ runtime, begin }) {
      begin()
      await runtime.archive({ before: new Date(Date.now() + 1_000) })
      await runtime.compact()
    },
  },
}
