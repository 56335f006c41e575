import { setMaxListeners } from 'node:events'
import * as v from 'valibot'
import { BoxError, idPattern, namePattern, publicStates, quoted } from '../machines/index.ts'
import { health } from './health-options.ts'
import { anObject, dictionary, regularExpression, strict, text, whole } from './schema.ts'

/** Largest of secrets, names and values, in `bytes`. */
const maxSecretsBytes = 64 * 1024
/** Largest environment, names and values, in `bytes`. */
const maxEnvBytes = 64 * 1024
/** Most arguments of a command that is run, in `bytes`: with its environment they go in one message to the guest. */
const maxWordsBytes = 128 * 1024
/** Largest filter as JSON, in `bytes`: it goes in one request to the owner of a home. */
const maxFilterBytes = 1_000 * 1024
/** Largest filter that the home keeps, of a durable subscription. */
const maxKeptFilterBytes = 32 * 1024
/** What of a field's name is given back, in `characters`. */
const maxFieldLength = 256

/** Size of a value as JSON. */
export const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))
const path = v.pipe(text, v.nonEmpty('must not be empty'))
const name = v.pipe(
  v.string(),
  v.regex(namePattern, 'must begin with a letter or digit and have at most 63 of [A-Za-z0-9_.-]'),
)
const labels = v.pipe(
  dictionary({
    key: name =>
      /^.{1,63}$/su.test(name) ? undefined : 'has a key that is empty or of more than 63 characters',
    content: v.pipe(text, v.maxLength(256, 'has a value of more than 256 characters')),
  }),
  v.check(value => Object.keys(value).length <= 64, 'has more than 64 entries'),
)
/** Labels to look for: those that no box can have are found with none. */
const wantedLabels = dictionary({ key: () => undefined, content: text })
const disk = strict({
  path,
  format: v.optional(v.picklist(['raw', 'qcow2'])),
  readonly: v.optional(v.boolean()),
})
const image = strict({
  kernel: path,
  initramfs: v.optional(path),
  cmdline: v.optional(text),
  disks: v.optional(v.array(disk)),
  agent: v.optional(v.boolean()),
})
/** May begin as the names of variables do. */
const secretName = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/
const envValue = v.union(
  [text, strict({ secret: v.pipe(v.string(), v.regex(secretName)) })],
  'must be a well-formed text without NUL, or { secret: NAME }',
)

/** What is wrong with a secret is told without it. */
const secrets = v.pipe(
  dictionary({
    key: name => (secretName.test(name) ? undefined : 'has a name of other than 1 to 63 of [A-Za-z0-9_.-]'),
    content: v.pipe(
      v.custom<string>(value => typeof value === 'string', 'must be a text'),
      v.check(value => !/[\0\p{Surrogate}]/u.test(value), 'must be a well-formed text without NUL'),
    ),
  }),
  v.check(value => bytesOf(value) <= maxSecretsBytes, 'are larger than 64 KiB'),
)

const env = v.pipe(
  dictionary({
    key: name => (/^[^=]+$/.test(name) ? undefined : 'has a name that is empty or holds a ='),
    content: envValue,
  }),
  v.check(env => bytesOf(env) <= maxEnvBytes, 'is larger than 64 KiB'),
)
const workdir = v.pipe(text, v.startsWith('/', 'must be an absolute path'))
const user = v.pipe(text, v.regex(/^[A-Za-z0-9_][A-Za-z0-9_.:-]*$/, 'must be a user, or user:group'))

/** Fields of {@link BoxOptions}. */
export const boxEntries = {
  name: v.optional(name),
  labels: v.optional(labels),
  image: v.optional(v.union([name, image], 'must be the name of an image, or its files')),
  command: v.optional(v.pipe(v.array(text), v.nonEmpty('must have a program'))),
  env: v.optional(env),
  secrets: v.optional(secrets),
  workdir: v.optional(workdir),
  user: v.optional(user),
  cpus: v.optional(whole(1, 256)),
  memoryMib: v.optional(whole(64, 1_048_576)),
  disks: v.optional(v.array(disk)),
  autoRemove: v.optional(v.boolean()),
  detach: v.optional(v.boolean()),
  restart: v.optional(
    strict({
      policy: v.picklist(['no', 'on-failure', 'always', 'unless-stopped']),
      maxRetries: v.optional(whole(0, 1_000_000)),
      backoff: v.optional(
        strict({
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
      [v.picklist(['guest', 'vmm']), strict({ console: regularExpression })],
      "must be 'guest', 'vmm' or { console: a regular expression }",
    ),
  ),
  stopTimeoutMs: v.optional(whole(0, 86_400_000)),
  health: v.optional(health),
}
const boxOptions = strict(boxEntries)

const size = strict({ columns: whole(1, 65_535), rows: whole(1, 65_535) })

/** Whoever gives one signal to many waits means to, and need not be warned. */
export const signal = v.optional(
  v.pipe(
    v.instance(AbortSignal),
    v.transform(given => {
      setMaxListeners(0, given)
      return given
    }),
  ),
)
const commandEntries = {
  commandId: v.optional(v.pipe(text, v.minLength(1), v.maxLength(256))),
  expectedVersion: v.optional(whole(0, Number.MAX_SAFE_INTEGER)),
  actor: v.optional(v.pipe(text, v.maxLength(256))),
  signal,
}
const states = v.picklist(publicStates)
const vmm = v.optional(strict({ binary: v.optional(v.union([path, v.pipe(v.array(text), v.nonEmpty())])) }))
const position = v.optional(whole(1, Number.MAX_SAFE_INTEGER))

const eventsEntries = {
  from: position,
  box: v.optional(v.string()),
  types: v.optional(v.array(v.string())),
  labels: v.optional(wantedLabels),
  follow: v.optional(v.boolean()),
  signal,
}

/** What is looked for, by fields. */
function filter<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.pipe(
    strict(entries),
    v.check(value => bytesOf(value) <= maxFilterBytes, 'is larger than 1000 KiB'),
  )
}

/** Shapes of all that callers hand in. */
export const shapes = {
  box: boxOptions,
  command: strict(commandEntries),
  stop: strict({
    ...commandEntries,
    mode: v.optional(v.picklist(['graceful', 'force', 'kill'])),
    timeoutMs: v.optional(whole(0, 86_400_000)),
  }),
  remove: strict({ ...commandEntries, force: v.optional(v.boolean()) }),
  clone: strict({ ...commandEntries, name: v.optional(name), snapshot: v.optional(name) }),
  wait: strict({ signal }),
  waitFor: strict({ signal, timeoutMs: v.optional(whole(0, Number.MAX_SAFE_INTEGER)) }),
  list: filter({
    states: v.optional(v.array(states)),
    names: v.optional(v.array(v.string())),
    labels: v.optional(wantedLabels),
    limit: v.optional(whole(1, Number.MAX_SAFE_INTEGER)),
    after: v.optional(v.string()),
  }),
  events: filter(eventsEntries),
  subscription: v.pipe(
    strict(eventsEntries),
    v.check(value => bytesOf({ ...value, signal: undefined }) <= maxKeptFilterBytes, 'is larger than 32 KiB'),
  ),
  console: strict({
    follow: v.optional(v.boolean()),
    incarnation: v.optional(whole(1, Number.MAX_SAFE_INTEGER)),
    of: v.optional(v.picklist(['guest', 'command'])),
    tail: v.optional(whole(0, Number.MAX_SAFE_INTEGER)),
    signal,
  }),
  consoleMark: strict({
    incarnation: whole(1, Number.MAX_SAFE_INTEGER),
    reboots: whole(0, Number.MAX_SAFE_INTEGER),
    at: whole(0, Number.MAX_SAFE_INTEGER),
  }),
  shutdown: strict({ timeoutMs: v.optional(whole(0, 86_400_000)) }),
  verify: strict({ replay: v.optional(v.boolean()), box: v.optional(v.string()) }),
  connect: strict({ home: v.optional(path) }),
  host: strict({ home: v.optional(path), vmm, signal }),
  image,
  export: strict({ box: v.optional(v.string()) }),
  exportMark: strict({
    position: whole(0, Number.MAX_SAFE_INTEGER),
    hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'must be a hash')),
    lines: whole(0, Number.MAX_SAFE_INTEGER),
  }),
  archive: strict({ before: v.date('must be a Date') }),
  path,
  absolutePath: v.pipe(
    text,
    v.startsWith('/', 'must be an absolute path'),
    v.maxLength(4096, 'must have at most 4096 characters'),
  ),
  program: v.pipe(
    text,
    v.nonEmpty('must not be empty'),
    v.maxLength(4096, 'must have at most 4096 characters'),
  ),
  words: v.pipe(
    v.array(text),
    v.check(words => bytesOf(words) <= maxWordsBytes, 'are larger than 128 KiB'),
  ),
  size,
  signalName: v.pipe(text, v.regex(/^[A-Z0-9+]{1,16}$/, 'must be the name of a signal')),
  wireCommand: strict({
    id: v.pipe(text, v.regex(idPattern, 'must be an ID')),
    command: v.unknown(),
    args: v.unknown(),
    options: v.unknown(),
  }),
  exec: strict({
    env: v.optional(env),
    cwd: v.optional(workdir),
    user: v.optional(user),
    tty: v.optional(v.union([v.boolean(), size], 'must be true, false or { columns, rows }')),
    signal,
    timeoutMs: v.optional(whole(1, 86_400_000)),
    input: v.optional(v.union([v.string(), v.instance(Uint8Array)], 'must be a text or bytes')),
    maxOutputBytes: v.optional(whole(0, 1 << 30)),
    recordArguments: v.optional(v.boolean()),
    actor: v.optional(v.pipe(text, v.maxLength(256))),
  }),
  copy: strict({ onProgress: v.optional(v.function()), signal }),
  open: strict({
    home: v.optional(path),
    vmm,
    inspect: v.optional(v.union([v.function(), anObject])),
    durability: v.optional(v.picklist(['sync', 'process'])),
    startConcurrency: v.optional(whole(1, 10_000)),
    clock: v.optional(anObject),
    ids: v.optional(v.function()),
    random: v.optional(v.function()),
    onProgress: v.optional(v.function()),
    seams: v.optional(anObject),
  }),
  name,
  position: whole(1, Number.MAX_SAFE_INTEGER),
  consumer: v.pipe(text, v.minLength(1), v.maxLength(64)),
}

/** Checks a value from outside; `INVALID_ARGUMENT` names the field. */
export function check<Shape extends v.GenericSchema>(
  shape: Shape,
  value: unknown,
  what: string,
): v.InferOutput<Shape> {
  const result = parse(shape, value, what)
  if (result.success) return result.output
  const [issue] = result.issues
  const field = v.getDotPath(issue) ?? what
  const problem =
    issue.type === 'strict_object' && issue.expected === 'never' ? 'is not an option' : issue.message
  throw invalid(field, problem)
}

/** A field's name may be anybody's text. */
function invalid(field: string, problem: string, cause?: unknown): BoxError {
  const shown = /^[\w.-]{1,80}$/.test(field) ? field : quoted(field)
  return new BoxError('INVALID_ARGUMENT', `${shown} ${problem}`, {
    details: { field: field.slice(0, maxFieldLength) },
    cause,
  })
}

function parse<Shape extends v.GenericSchema>(shape: Shape, value: unknown, what: string) {
  try {
    return v.safeParse(shape, value)
  } catch (error) {
    // A getter or a proxy of the caller's.
    throw invalid(what, 'cannot be read', error)
  }
}

export type BoxOptions = v.InferInput<typeof boxOptions>
