import type { Command, Fate, Obstacle, Step } from './steps.ts'

/** What a user expects of a box between two things that happen to it. Nothing here is taken from the product. */
export interface PlainBox {
  readonly box: number
  readonly name: string | null
  readonly policy: string
  readonly retries: number | null
  readonly autoRemove: boolean
  readonly detach: boolean
  readonly state: 'configured' | 'running' | 'paused' | 'stopped' | 'crashed' | 'failed'
  readonly incarnation: number
  readonly cause: string | null
  readonly exitCode: number | null
  /** starts by the policy, and those in a row */
  readonly restarts: number
  readonly inRow: number
  /** the policy will start it again */
  readonly isDue: boolean
  /** it has been up for so long that the next row begins */
  readonly ranLong: boolean
}

/** A home: its boxes that are not removed, in the order in which they were made. */
export type Model = readonly PlainBox[]

/** One way in which a step may go; `code`: what its caller is told, null: whatever. */
export interface Outcome {
  readonly model: Model
  readonly code: string | null
}

const obstacles: Readonly<Record<Obstacle, string>> = {
  prepare: 'VMM_NOT_FOUND',
  spawn: 'VMM_START_FAILED',
  'vm.boot': 'BOOT_FAILED',
}

const crashes = ['crash', 'guest-panic', 'vcpu-error', 'reboot-loop']

const isUp = ({ state }: PlainBox) => state === 'running' || state === 'paused'

/** All ways in which a step may go. */
export function outcomesOf(model: Model, step: Step): Outcome[] {
  switch (step.do) {
    case 'together': {
      const { first, second } = step
      const orders = [
        [first, second],
        [second, first],
        // One of them may be refused because of the other.
        [first],
        [second],
      ]
      return orders.map(order => ({
        model: order.reduce((now, command) => apply(now, command).model, model),
        code: null,
      }))
    }
    case 'interrupted': {
      const ways = cutOff(model, step.step)
      // What befalls a box is never missed; but one that ends with its owner may do so first.
      if (step.step.do !== 'fate' || isAttached(model, step.step.box)) ways.push(withoutOwner(model))
      return ways.map(way => ({ model: way, code: null }))
    }
    case 'repeated':
      return [...cutOff(model, step.step), apply(withoutOwner(model), step.step).model].map(way => ({
        model: way,
        code: null,
      }))
    case 'rejected':
      return [model, apply(model, step.step).model].map(way => ({ model: way, code: null }))
    case 'crash':
    case 'close':
    case 'reboot': {
      const rest = step.do === 'reboot' ? onAll(model, rebooted) : withoutOwner(model)
      const settled = step.meanwhile.reduce((now, fate) => apply(now, fate).model, rest)
      return [{ model: settled, code: null }]
    }
    case 'wait':
      return [{ model: onAll(model, box => waited(box, step.fails)), code: null }]
    default:
      return [apply(model, step)]
  }
}

/** What may become of something that was begun when its owner was killed. */
function cutOff(model: Model, step: Command | Fate): Model[] {
  const ways = [apply(model, step).model]
  if (step.do === 'start' || step.do === 'restart') {
    const { do: verb, box } = step
    // A start goes on where it can, else it has failed; or its box ends with its owner, before it or within it.
    ways.push(apply(model, { do: verb, box, fails: 'vm.boot' }).model)
    if (isAttached(model, box)) ways.push(apply(model, { do: verb, box }).model)
    if (isAttached(model, box) && verb === 'restart') ways.push(model)
  }
  return ways.map(withoutOwner)
}

function isAttached(model: Model, box: number): boolean {
  return model.some(other => other.box === box && !other.detach)
}

/** Nothing that is not detached outlives its owner. */
const withoutOwner = (model: Model) =>
  onAll(model, box => (isUp(box) && !box.detach ? ended(box, 'requested') : box))

const rebooted = (box: PlainBox) => (isUp(box) ? ended(box, box.detach ? 'host-reboot' : 'requested') : box)

function onAll(model: Model, change: (box: PlainBox) => PlainBox | undefined): Model {
  return model.flatMap(box => change(box) ?? [])
}

function apply(model: Model, step: Command | Fate): Outcome {
  if (step.do === 'create') return created(model, step)
  const box = model.find(other => other.box === step.box)
  if (box === undefined) return { model, code: step.do === 'fate' ? null : 'NOT_FOUND' }
  const done = (changed: PlainBox | undefined, code: string | null = 'none') => ({
    model: onAll(model, other => (other === box ? changed : other)),
    code,
  })
  const isFree = (name: string | null) =>
    name === null || model.every(other => other === box || other.name !== name)
  switch (step.do) {
    case 'start':
      return isUp(box) ? done(box) : done(...started({ ...box, inRow: 0 }, step.fails))
    case 'restart':
      return done(...started({ ...box, inRow: 0 }, step.fails))
    case 'stop':
      if (isUp(box)) return done(ended(box, 'requested'))
      return done(box.isDue && box.autoRemove ? undefined : { ...box, isDue: false })
    case 'pause':
      return isUp(box) ? done({ ...box, state: 'paused' }) : done(box, 'INVALID_STATE')
    case 'resume':
      return isUp(box) ? done({ ...box, state: 'running' }) : done(box, 'INVALID_STATE')
    case 'remove':
      return step.force || !(isUp(box) || box.isDue) ? done(undefined) : done(box, 'INVALID_STATE')
    case 'rename':
      return isFree(step.name) ? done({ ...box, name: step.name }) : done(box, 'NAME_TAKEN')
    case 'fate':
      return done(met(box, step.does), null)
  }
}

function created(model: Model, step: Extract<Command, { do: 'create' }>): Outcome {
  const { do: _, ...spec } = step
  if (spec.autoRemove && spec.policy === 'always') return { model, code: 'INVALID_ARGUMENT' }
  if (spec.name !== null && model.some(({ name }) => name === spec.name)) return { model, code: 'NAME_TAKEN' }
  const box: PlainBox = {
    ...{ ...spec, state: 'configured', incarnation: 0, cause: null, exitCode: null },
    ...{ restarts: 0, inRow: 0, isDue: false, ranLong: false },
  }
  return { model: [...model, box], code: 'none' }
}

function started(box: PlainBox, fails: Obstacle | undefined): [PlainBox | undefined, string?] {
  const next: PlainBox = {
    ...{ ...box, state: 'running', incarnation: box.incarnation + 1, cause: null, exitCode: null },
    ...{ isDue: false, ranLong: false },
  }
  return fails === undefined ? [next] : [ended(next, 'boot-failed'), obstacles[fails]]
}

/** Undefined: it removes itself. */
function ended(box: PlainBox, cause: string, exitCode: number | null = null): PlainBox | undefined {
  const { policy, retries, autoRemove } = box
  const isFailure = crashes.includes(cause) || cause === 'boot-failed' || (exitCode ?? 0) !== 0
  const isWanted = policy === 'on-failure' ? isFailure : policy !== 'no'
  const inRow = box.ranLong ? 0 : box.inRow
  const isDue = isWanted && cause !== 'requested' && (retries === null || inRow < retries)
  if (autoRemove && !isDue) return undefined
  const state = crashes.includes(cause) ? 'crashed' : cause === 'boot-failed' ? 'failed' : 'stopped'
  return { ...box, state, cause, exitCode, inRow, isDue, ranLong: false }
}

function met(box: PlainBox, does: Fate['does']): PlainBox | undefined {
  if (!isUp(box)) return box
  if (does === 'crash') return ended(box, 'crash')
  if (does === 'shutdown') return ended(box, 'external')
  if (does === 'resume') return { ...box, state: 'running' }
  if (box.state === 'paused') return box
  switch (does) {
    case 'pause':
      return { ...box, state: 'paused' }
    case 'exit':
      return ended(box, 'guest-poweroff', 0)
    case 'fail':
      return ended(box, 'guest-poweroff', 3)
    case 'power-off':
      return ended(box, 'guest-poweroff')
    case 'panic':
      return ended(box, 'guest-panic')
    default:
      return ended(box, does)
  }
}

function waited(box: PlainBox, fails: Obstacle | undefined): PlainBox | undefined {
  if (isUp(box)) return { ...box, ranLong: true }
  if (!box.isDue) return box
  const [next] = started({ ...box, restarts: box.restarts + 1, inRow: box.inRow + 1 }, fails)
  return next
}
