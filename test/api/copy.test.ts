// @timeout 120
// @timeout-long 300
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { BoxError, BoxRuntime, type CopyProgress } from 'boxledger'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { sized } from '../support/long.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { inABox } from './exec/in-a-box.ts'
import { embedded, ways } from './ways.ts'

const test = suite('api: copies')

const mebibyte = 1 << 20
const size = sized(64, 1_024) * mebibyte

/** A file in which no two pieces are alike. */
async function writeBig(path: string): Promise<void> {
  const file = await open(path, 'w')
  const piece = Buffer.alloc(mebibyte)
  try {
    for (let n = 0; n < size / mebibyte; n += 1) {
      piece.fill(createHash('sha256').update(String(n)).digest())
      await file.write(piece)
    }
  } finally {
    await file.close()
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const bytes of createReadStream(path)) hash.update(bytes)
  return hash.digest('hex')
}

/** Memory that is held, in `bytes`. */
function held(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

for (const way of ways)
  test(`${size / mebibyte} MiB there and back, ${way.name}, and memory stays flat`, () =>
    withTempDir(dir =>
      inABox(way, async ({ box }) => {
        const [from, there, back] = ['from', 'there', 'back'].map(name => join(dir, name)) as [
          string,
          string,
          string,
        ]
        await writeBig(from)
        await box.start()
        const before = held()
        let most = 0
        let steps = 0
        const onProgress = ({ bytes }: CopyProgress) => {
          steps += 1
          assert.ok(bytes <= 1.1 * size)
          most = Math.max(most, held() - before)
        }
        await box.copyIn(from, there, { onProgress })
        await box.copyOut(there, back, { onProgress })
        assert.ok(steps > 10)
        // With what has yet to be collected; much less than what goes over in the long form.
        assert.ok(most < 160 * mebibyte, `${most} bytes were held`)
        process.stdout.write(
          `\n${way.name}: at most ${Math.round(most / mebibyte)} MiB held for ${size / mebibyte} MiB\n`,
        )
        assert.is(await hashOf(back), await hashOf(from))
      }),
    ))

test('a client that goes away in the middle ends the copy, and nothing of it is left', () =>
  withTempDir(dir =>
    inABox(embedded, async ({ home, box }) => {
      await writeBig(join(dir, 'from'))
      await box.start()
      for (const direction of ['copyIn', 'copyOut'] as const) {
        const place = join(dir, direction)
        mkdirSync(place)
        const client = await BoxRuntime.connect({ home })
        const remote = await client.get(box.id)
        const begun = new Promise<void>(resolve => {
          const onProgress = ({ bytes }: CopyProgress) => {
            if (bytes > mebibyte) resolve()
          }
          const copy = remote?.[direction](join(dir, 'from'), join(place, 'to'), { onProgress })
          copy?.then(
            () => assert.unreachable('it was done'),
            error =>
              assert.ok(BoxError.is(error, 'ENGINE_CLOSED') || BoxError.is(error, 'NO_OWNER'), String(error)),
          )
        })
        await begun
        await client.close()
        await eventually(() => readdirSync(place).length === 0)
        assert.not(existsSync(join(place, 'to')))
      }
      writeFileSync(join(dir, 'small'), 'small')
      await box.copyIn(join(dir, 'small'), join(dir, 'small.back'))
    }),
  ))

test.run()
