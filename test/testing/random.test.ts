import { type Random, seeded } from 'boxledger/testing'
import * as assert from 'uvu/assert'
import { takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'

const test = suite('testing: chance that can be had again')
const seed = takeSeed()

const draw = (random: Random, count = 20) => Array.from({ length: count }, () => random.next())

test('the same seed gives the same draws, another one others', () => {
  assert.equal(draw(seeded(seed)), draw(seeded(seed)))
  assert.not.equal(draw(seeded(seed)), draw(seeded(seed + 1)))
})

test('a fork has draws of its own, however many are taken before and beside', () => {
  const [fresh, used] = [seeded(seed), seeded(seed)]
  draw(used, 100)
  assert.equal(draw(used.fork('a')), draw(fresh.fork('a')))
  assert.not.equal(draw(fresh.fork('a')), draw(fresh.fork('b')))
  assert.not.equal(draw(fresh.fork('a')), draw(seeded(seed)))
})

test('every number within the ends comes up, both ends included, and none beyond', () => {
  const random = seeded(seed)
  const between = new Set(Array.from({ length: 1_000 }, () => random.between(-2, 3)))
  assert.equal(
    [...between].sort((a, b) => a - b),
    [-2, -1, 0, 1, 2, 3],
  )
  const below = new Set(Array.from({ length: 1_000 }, () => random.below(3)))
  assert.equal([...below].sort(), [0, 1, 2])
  const picked = new Set(Array.from({ length: 1_000 }, () => random.pick(['a', 'b'])))
  assert.equal([...picked].sort(), ['a', 'b'])
  assert.throws(() => random.pick([]), RangeError)
})

test('a chance comes as often as it says, a wait is as long as it says on average', () => {
  const random = seeded(seed)
  const times = 20_000
  const share = Array.from({ length: times }, () => random.chance(0.3)).filter(Boolean).length / times
  assert.ok(Math.abs(share - 0.3) < 0.03, `${share}`)
  const waits = Array.from({ length: times }, () => random.wait(1_000))
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / times
  assert.ok(Math.abs(mean - 1_000) < 60, `${mean}`)
  assert.ok(waits.every(wait => Number.isInteger(wait) && wait >= 0))
  assert.not(random.chance(0))
  assert.ok(random.chance(1))
})

test.run()
