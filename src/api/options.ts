import * as v from 'valibot'
import { BoxError, type BoxSpec, defaultBackoff, namePattern } from '../machines/index.ts'

/** Largest spec as JSON, in `bytes`. */
const maxSpecBytes = 32 * 1024
/** Largest environment, names and values, in `bytes`. */
const maxEnvBytes = 64 * 1024

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value))
const text = v.pipe(
  v.string(),
  v.check(value => !value.includes('\0'), 'must not hold a NUL'),
)
const path = v.pipe(text, v.nonEmpty('must not be empty'))
const name = v.pipe(
  v.string(),
  v.regex(namePattern, 'must begin with a letter or digit and have at most 63 of [A-Za-z0-9_.-]'),
)
const labels = v.pipe(
  v.record(
    v.pipe(v.string(), v.minLength(1), v.maxLength(63, 'has a key of more than 63 characters')),
    v.pipe(text, v.maxLength(256, 'has a value of more than 256 characters')),
  ),
  v.check(value => Object.keys(value).length <= 64, 'has more than 64 entries'),
)
const whole = (min: number, max: number) =>
  v.pipe(
    v.number(),
    v.integer('must be a whole number'),
    v.minValue(min, `must be at least ${min}`),
    v.maxValue(max, `must be at most ${max}`),
  )
const disk = v.strictObject({
  path,
  format: v.optional(v.picklist(['raw', 'qcow2'])),
  readonly: v.optional(v.boolean()),
})
const image = v.strictObject({
  kernel: path,
  initramfs: v.optional(path),
  cmdline: v.optional(text),
  disks: v.optional(v.array(disk)),
})
const regularExpression = v.pipe(
  text,
  v.check(source => {
    try {
      return new RegExp(source) instanceof RegExp
    } catch {
      return false
    }
  }, 'must be a regular expression'),
)

const boxOptions = v.strictObject({
  name: v.optional(name),
  labels: v.optional(labels),
  image: v.optional(v.union([name, image], 'must be the name of an image, or its files')),
  command: v.optional(v.pipe(v.array(text), v.nonEmpty('must have a program'))),
  env: v.optional(
    v.pipe(
      v.record(v.pipe(text, v.regex(/^[^=]+$/, 'has a name that is empty or holds a =')), text),
      v.check(env => bytesOf(env) <= maxEnvBytes, 'is larger than 64 KiB'),
    ),
  ),
  workdir: v.optional(v.pipe(text, v.startsWith('/', 'must be an absolute path'))),
  user: v.optional(v.pipe(text, v.regex(/^[A-Za-z0-9_][A-Za-z0-9_.:-]*$/, 'must be a user, or user:group'))),
  cpus: v.optional(whole(1, 256)),
  memoryMib: v.optional(whole(64, 1_048_576)),
  disks: v.optional(v.array(disk)),
  autoRemove: v.optional(v.boolean()),
  detach: v.optional(v.boolean()),
  restart: v.optional(
    v.strictObject({
      policy: v.picklist(['no', 'on-failure', 'always', 'unless-stopped']),
      maxRetries: v.optional(whole(0, 1_000_000)),
      backoff: v.optional(
        v.strictObject({
          initialMs: v.optional(whole(0, 86_400_000)),
          factor: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(100))),
          maxMs: v.optional(whole(0, 86_400_000)),
          jitter: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
          resetAfterMs: v.optional(whole(0, 86_400_000)),
        }),
      ),
    }),
  ),
  ready: v.optional(
    v.union(
      [v.picklist(['guest', 'vmm']), v.strictObject({ console: regularExpression })],
      "must be 'guest', 'vmm' or { console: a regular expression }",
    ),
  ),
  stopTimeoutMs: v.optional(whole(0, 86_400_000)),
})

const commandEntries = {
  commandId: v.optional(v.pipe(text, v.minLength(1), v.maxLength(256))),
  expectedVersion: v.optional(whole(0, Number.MAX_SAFE_INTEGER)),
  actor: v.optional(v.pipe(text, v.maxLength(256))),
  signal: v.optional(v.instance(AbortSignal)),
}
const states = v.picklist([
  'configured',
  'starting',
  'running',
  'paused',
  'stopping',
  'stopped',
  'crashed',
  'failed',
  'removing',
  'removed',
  'unknown',
])
const signal = v.optional(v.instance(AbortSignal))
const position = v.optional(whole(1, Number.MAX_SAFE_INTEGER))

/** Shapes of all that callers hand in. */
export const shapes = {
  box: boxOptions,
  command: v.strictObject(commandEntries),
  stop: v.strictObject({
    ...commandEntries,
    mode: v.optional(v.picklist(['graceful', 'force', 'kill'])),
    timeoutMs: v.optional(whole(0, 86_400_000)),
  }),
  remove: v.strictObject({ ...commandEntries, force: v.optional(v.boolean()) }),
  wait: v.strictObject({ signal }),
  waitFor: v.strictObject({ signal, timeoutMs: v.optional(whole(0, Number.MAX_SAFE_INTEGER)) }),
  list: v.strictObject({
    states: v.optional(v.array(states)),
    names: v.optional(v.array(v.string())),
    labels: v.optional(v.record(v.string(), v.string())),
    limit: v.optional(whole(1, Number.MAX_SAFE_INTEGER)),
    after: v.optional(v.string()),
  }),
  events: v.strictObject({
    from: position,
    box: v.optional(v.string()),
    types: v.optional(v.array(v.string())),
    labels: v.optional(v.record(v.string(), v.string())),
    follow: v.optional(v.boolean()),
    signal,
  }),
  console: v.strictObject({
    follow: v.optional(v.boolean()),
    incarnation: v.optional(whole(1, Number.MAX_SAFE_INTEGER)),
    signal,
  }),
  shutdown: v.strictObject({ timeoutMs: v.optional(whole(0, 86_400_000)) }),
  verify: v.strictObject({ replay: v.optional(v.boolean()), box: v.optional(v.string()) }),
  archive: v.strictObject({ before: v.date('must be a Date') }),
  path,
  open: v.strictObject({
    home: v.optional(path),
    vmm: v.optional(
      v.strictObject({ binary: v.optional(v.union([path, v.pipe(v.array(text), v.nonEmpty())])) }),
    ),
    inspect: v.optional(v.union([v.function(), v.looseObject({})])),
    durability: v.optional(v.picklist(['sync', 'process'])),
    startConcurrency: v.optional(whole(1, 10_000)),
    clock: v.optional(v.looseObject({})),
    ids: v.optional(v.function()),
    random: v.optional(v.function()),
    onProgress: v.optional(v.function()),
    seams: v.optional(v.looseObject({})),
  }),
  name,
}

/** Checks a value from outside; `INVALID_ARGUMENT` names the field. */
export function check<Shape extends v.GenericSchema>(
  shape: Shape,
  value: unknown,
  what: string,
): v.InferOutput<Shape> {
  const result = v.safeParse(shape, value)
  if (result.success) return result.output
  const [issue] = result.issues
  const field = v.getDotPath(issue) ?? what
  const problem =
    issue.type === 'strict_object' && issue.expected === 'never' ? 'is not an option' : issue.message
  throw new BoxError('INVALID_ARGUMENT', `${field} ${problem}`, { details: { field } })
}

export type BoxOptions = v.InferInput<typeof boxOptions>

export interface NormalOptions {
  readonly name?: string
  readonly labels: Readonly<Record<string, string>>
  readonly spec: BoxSpec
}

/** Fills in what was left out. */
export function normalise(options: unknown): NormalOptions {
  const given = check(boxOptions, options, 'options')
  if (given.autoRemove && given.restart?.policy === 'always')
    throw new BoxError('INVALID_ARGUMENT', 'autoRemove never applies to a box that is always restarted', {
      details: { field: 'autoRemove' },
    })
  const spec: BoxSpec = JSON.parse(
    JSON.stringify({
      image: given.image === 'builtin' ? undefined : given.image,
      command: given.command,
      env: given.env,
      workdir: given.workdir,
      user: given.user,
      cpus: given.cpus ?? 1,
      memoryMib: given.memoryMib ?? 256,
      disks: given.disks,
      autoRemove: given.autoRemove ?? false,
      detach: given.detach ?? true,
      restart: {
        policy: given.restart?.policy ?? 'no',
        maxRetries: given.restart?.maxRetries,
        backoff: { ...defaultBackoff, ...given.restart?.backoff },
      },
      ready: given.ready,
      stopTimeoutMs: given.stopTimeoutMs ?? 10_000,
    }),
  )
  if (bytesOf({ ...spec, env: undefined }) > maxSpecBytes)
    throw new BoxError('INVALID_ARGUMENT', 'The spec is larger than 32 KiB', {
      details: { field: 'options' },
    })
  return {
    ...(given.name === undefined ? {} : { name: given.name }),
    labels: { ...given.labels },
    spec,
  }
}
