import { createServer } from 'node:http'
import { join } from 'node:path'
import { BoxRuntime } from 'boxledger'
import type { Observable } from 'rxjs'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'

const test = suite('api: an owner of another version')

/** Answers calls, and each stream with an error: under this status. */
const withOtherOwner = (status: number, use: (client: BoxRuntime) => Promise<void>): Promise<void> =>
  withTempDir(async home => {
    const owner = createServer((asked, answer) => {
      const isStream = asked.url?.includes('/stream/')
      const error = { code: 'UNSUPPORTED', message: `no ${asked.url}`, details: {}, retryable: false }
      const value = asked.method === 'GET' ? { pid: process.pid, engine: 'other', home } : 'abcdefghijkl'
      asked.resume().once('end', () => {
        answer.statusCode = isStream ? status : 200
        answer.end(`${JSON.stringify(isStream ? { error } : { value })}${status === 200 ? '\n' : ''}`)
      })
    })
    await new Promise<void>(resolve => owner.listen(join(home, 'owner.sock'), resolve))
    try {
      await using client = await BoxRuntime.connect({ home })
      await use(client)
    } finally {
      await new Promise(resolve => owner.close(resolve))
    }
  })

const outcomeOf = (ended: Promise<unknown>): Promise<string> =>
  ended.then(
    () => 'ended',
    error => error.code,
  )

const read = async (values: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of values);
}

const heard = (values: Observable<unknown>): Promise<void> =>
  new Promise((complete, error) => values.subscribe({ complete, error }))

/** Each of the client's streams is to reject with the owner's reason: it is not an empty one. */
const allReject = (status: number): Promise<void> =>
  withOtherOwner(status, async client => {
    const streams = {
      events: read(client.events()),
      'events, followed': read(client.events({ follow: true })),
      'events of a box': read(client.events({ box: 'x' })),
      history: read(client.history('x')),
      events$: heard(client.events$()),
      changes$: heard(client.changes$),
      boxes$: heard(client.boxes$),
    }
    const outcomes = Object.entries(streams).map(async ([what, ended]) => [what, await outcomeOf(ended)])
    for (const [what, outcome] of await Promise.all(outcomes)) assert.is(outcome, 'UNSUPPORTED', what)
  })

test('a stream that is refused rejects with the reason', () => allReject(500))

test('a stream that fails when it has begun rejects with the reason', () => allReject(200))

test.run()
