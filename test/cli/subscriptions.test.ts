import { BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { errorIn, withShell } from './boxledger.ts'

const test = suite('command: subscriptions')

test('they are listed with how far they have come, and forgotten', () =>
  withShell(async ({ home, ok, json, run }) => {
    assert.match(await ok('subscriptions'), /^NAME +ACKNOWLEDGED +BEHIND +READ NOW +LOOKS FOR$/)
    {
      await using runtime = await BoxRuntime.open({ home })
      for (let n = 0; n < 3; n += 1) await runtime.create({ labels: { team: 'a' } })
      await using mails = runtime.subscription('mails', { types: ['box.created'], labels: { team: 'a' } })
      const { value } = await mails.next()
      await mails.ack(value?.position ?? 0)
      await using rest = runtime.subscription('rest', { from: 3 })
      await rest.next()
      assert.match(await ok('subscriptions', 'ls'), /^mails +1 +2 +yes +box\.created team=a$/m)
      const refused = await run('--json', 'subscriptions', 'rm', 'mails')
      assert.equal([refused.code, errorIn(refused).code], [4, 'BUSY'])
    }
    assert.match(await ok('subscriptions'), /^mails +1 +2 +no +box\.created team=a\nrest +0 +1 +no +all$/m)
    assert.is(await ok('subscriptions', 'rm', 'mails'), 'mails')
    assert.equal(
      (await json<{ name: string }[]>('subscriptions')).map(({ name }) => name),
      ['rest'],
    )
    assert.is((await run('subscriptions', 'rm', 'mails')).code, 3)
    assert.is((await run('subscriptions', 'rm', 'a/b')).code, 2)
  }))

test.run()
