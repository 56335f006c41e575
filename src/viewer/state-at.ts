import type { Difference, Step } from './story.ts'

/**
 * The state after a step, of the box or of the step's execution: all differences up to it, one on the other. Its
 * effects and timers are in it in short.
 */
export function stateAt(steps: readonly Step[], index: number): unknown {
  const stream = steps[index]?.execution
  let state: unknown = {}
  for (let n = 0; n <= index; n += 1) {
    const step = steps[n]
    if (step === undefined || step.execution !== stream) continue
    for (const difference of step.differences) state = withDifference(state, difference)
  }
  return state
}

/** Changes copies, so that the story stays as it is. */
function withDifference(value: unknown, { path, after }: Difference): unknown {
  const [name, ...rest] = path
  if (name === undefined) return structuredClone(after)
  const holder = typeof value === 'object' && value !== null ? value : {}
  const inner = withDifference(Object.hasOwn(holder, name) ? Reflect.get(holder, name) : undefined, {
    path: rest,
    after,
  })
  if (inner === undefined) Reflect.deleteProperty(holder, name)
  // A name may be one that every object has.
  else
    Object.defineProperty(holder, name, {
      value: inner,
      ...{ enumerable: true, writable: true, configurable: true },
    })
  return holder
}
