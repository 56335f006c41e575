import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { type Difference, differencesOf, isSameJson } from '../../src/machines/index.ts'
import { takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'

const test = suite('machines: differences')

type Fields = { [key: string]: unknown }

/** The value before, with each difference carried out. */
function patched(before: unknown, differences: readonly Difference[]): unknown {
  const root: Fields = { value: structuredClone(before) }
  for (const { path, ...change } of differences) {
    const [last = '', ...way] = ['value', ...path].reverse()
    const parent = way.reverse().reduce<Fields>((fields, key) => fields[key] as Fields, root)
    if ('after' in change)
      Object.defineProperty(parent, last, {
        value: change.after,
        enumerable: true,
        configurable: true,
        writable: true,
      })
    else delete parent[last]
  }
  return root.value
}

test('they name the place, and what was and is there', () => {
  const before = { value: 'running', context: { name: 'a', seen: { ready: true }, gone: 1 } }
  const after = { value: 'stopped', context: { name: 'a', seen: { ready: false }, come: null } }
  assert.equal(differencesOf(before, after), [
    { path: ['value'], before: 'running', after: 'stopped' },
    { path: ['context', 'seen', 'ready'], before: true, after: false },
    { path: ['context', 'gone'], before: 1 },
    { path: ['context', 'come'], after: null },
  ])
  assert.equal(differencesOf('a', { b: 1 }), [{ path: [], before: 'a', after: { b: 1 } }])
  assert.equal(differencesOf([1, 2], [1, 3]), [{ path: ['1'], before: 2, after: 3 }])
  assert.equal(differencesOf([1], [1, 3]), [{ path: [], before: [1], after: [1, 3] }])
  assert.equal(differencesOf([], {}), [{ path: [], before: [], after: {} }])
  assert.equal(differencesOf({ a: undefined }, {}), [])
})

test('carried out on what was before, they give what came after', () => {
  const seed = takeSeed()
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (before, after) => {
      const [a, b] = [before, after].map(value => JSON.parse(JSON.stringify(value)))
      assert.ok(isDeepStrictEqual(patched(a, differencesOf(a, b)), b))
      assert.is(isSameJson(a, b), isDeepStrictEqual(a, b))
    }),
    { seed, numRuns: 500 },
  )
})

test.run()
