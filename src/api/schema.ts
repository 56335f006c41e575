import * as v from 'valibot'

/** What the shapes of callers' values are made of, where valibot alone would let too much through. */

/** Text that is stored and handed on as it is: no NUL, and no half of a surrogate pair, which bytes cannot hold. */
export const text = v.pipe(
  v.string(),
  v.check(value => !value.includes('\0'), 'must not hold a NUL'),
  v.check(value => !/\p{Surrogate}/u.test(value), 'must be well-formed Unicode'),
)

export const whole = (min: number, max: number) =>
  v.pipe(
    v.number(),
    v.integer('must be a whole number'),
    v.minValue(min, `must be at least ${min}`),
    v.maxValue(max, `must be at most ${max}`),
  )

/** Longest pattern for the console: it is run against whatever a guest prints. */
const maxPatternLength = 1024

export const regularExpression = v.pipe(
  text,
  v.maxLength(maxPatternLength, `must have at most ${maxPatternLength} characters`),
  v.check(source => {
    try {
      return new RegExp(source) instanceof RegExp
    } catch {
      return false
    }
  }, 'must be a regular expression'),
)

/** An object with these fields and no others; arrays, maps and dates are none. */
export function strict<const Entries extends v.ObjectEntries>(entries: Entries) {
  const shape = v.strictObject(entries)
  return v.pipe(v.custom<v.InferInput<typeof shape>>(isObject, 'must be an object'), shape)
}

/** An object that is handed on as it is. */
export const anObject = v.custom<object>(
  value => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be an object',
)

interface Limits<Content extends v.GenericSchema> {
  /** what is wrong with a key, if so */
  readonly key: (key: string) => string | undefined
  readonly content: Content
}

/**
 * An object used as a map from texts. Of keys that every object has, such as `constructor`, valibot's own record
 * takes no notice; here they are keys like any other, but for `__proto__`, which too much code means otherwise.
 */
export function dictionary<Content extends v.GenericSchema>({ key, content }: Limits<Content>) {
  type Contents = Readonly<Record<string, v.InferInput<Content>>>
  return v.pipe(
    v.custom<Contents>(isObject, 'must be an object'),
    // Copied before it is looked at: a getter may say something else the second time.
    v.transform(given => Object.fromEntries(Object.entries(given)) as Readonly<Record<string, unknown>>),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return
      const input = dataset.value
      for (const [name, value] of Object.entries(input)) {
        const problem = problemOf(text, name) ?? keyProblem(name, key) ?? problemOf(content, value)
        if (problem === undefined) continue
        addIssue({
          message: problem,
          path: [{ type: 'object', origin: 'value', input: { ...input }, key: name, value }],
        })
        return
      }
    }),
    v.transform(checked => checked as Contents),
  )
}

function keyProblem(name: string, key: (key: string) => string | undefined): string | undefined {
  return name === '__proto__' ? 'is not a name that can be used' : key(name)
}

function problemOf(shape: v.GenericSchema, value: unknown): string | undefined {
  return v.safeParse(shape, value).issues?.[0].message
}

function isObject(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object Object]' && typeof value === 'object'
}
