import fc from 'fast-check'

/** Values that nobody should hand in. */

const getter = Object.defineProperty({ [fc.toStringMethod]: () => 'a getter that throws' }, 'name', {
  enumerable: true,
  get: () => {
    throw new Error('a getter that throws')
  },
})

const proxy = new Proxy(
  {},
  {
    get: (_, key) => {
      if (key === fc.toStringMethod) return () => 'a proxy that throws'
      throw new Error('a proxy that throws')
    },
    has: (_, key) => key === fc.toStringMethod,
    ownKeys: () => {
      throw new Error('a proxy that throws')
    },
  },
)

const circular: Record<string, unknown> = {}
circular.self = circular

class Lookalike {
  readonly aborted = false
  addEventListener(): void {}
}

/** JSON that gives an object a key of its own which other code takes for its prototype. */
export const polluting = (): unknown =>
  JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}')

const deep = (): unknown => JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`)

/** Names of files that no box may reach. */
export const paths: readonly string[] = [
  '..',
  '../..',
  '../../etc/passwd',
  '/etc/passwd',
  './x',
  'a/../../b',
  'a\0b',
  '\0',
  '%2e%2e%2f',
  '....//',
  '~',
  'CON',
  'boxes',
  'ledger',
  'x'.repeat(300),
]

const oddTexts: readonly string[] = [
  '',
  ' ',
  '\n',
  '\u001b[2J',
  '\ud800',
  '\udfff\ud800',
  '\u202e',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'null',
  'undefined',
  'NaN',
  "'; drop table boxes; --",
  '$(reboot)',
  '`reboot`',
  ...paths,
]

export const oddText = fc.oneof(
  fc.constantFrom(...oddTexts),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme-composite', maxLength: 20 }),
)

export const oddNumber = fc.oneof(
  fc.constantFrom(
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    -0,
    0,
    -1,
    0.5,
    1e21,
    2 ** 53,
  ),
  fc.double(),
  fc.integer(),
)

/** Anything at all. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  oddText,
  oddNumber,
  fc.constantFrom(undefined, null, true, false, 10n, Symbol('odd'), () => true, getter, proxy, circular),
  fc.constantFrom([], {}, new Date(0), new Map(), new Set(), /x/, new Error('odd'), new Uint8Array(3)),
  fc.constantFrom(new Lookalike(), new Number(2), new String('x'), Object.create(null)),
  fc.constant(undefined).map(polluting),
  fc.constant(undefined).map(deep),
  fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true, maxDepth: 2 }),
)

/** The same, of what JSON can say. */
export const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  oddText,
  fc.constantFrom<unknown>(null, true, 0, -1, 1e21, 0.5, [], {}),
  fc.constant(undefined).map(polluting),
  fc.jsonValue({ maxDepth: 3 }),
)

/** An object with some of the fields, each good or not, and now and then a key that is none. */
export const withFields = (
  fields: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  odd: fc.Arbitrary<unknown> = anything,
): fc.Arbitrary<unknown> => {
  const each = Object.fromEntries(
    Object.entries(fields).map(([name, good]) => [
      name,
      fc.oneof({ weight: 3, arbitrary: good }, { weight: 1, arbitrary: odd }),
    ]),
  )
  const known = fc.record(each, { requiredKeys: [] })
  const unknown = fc.tuple(known, oddText, odd).map(([object, key, value]) => {
    const all = new Map<string, unknown>([...Object.entries(object), [key, value]])
    return Object.fromEntries(all)
  })
  return fc.oneof(
    { weight: 6, arbitrary: known },
    { weight: 3, arbitrary: unknown },
    { weight: 1, arbitrary: odd },
  )
}

/** Whether anything has come to all objects by way of their prototype. */
export const isPolluted = (): boolean =>
  ({}) instanceof Lookalike || ({} as { polluted?: unknown }).polluted !== undefined || 'polluted' in []
