import { type BoxContext, type BoxState, pathOf } from './state.ts'

/** A state as people compare it: where the machine is, what the box remembers, and what is pending. */
export interface PlainState extends Omit<BoxContext, 'eventOffset'> {
  /** the public state, and finer ones behind it, joined by dots */
  readonly state: string
  readonly effects: BoxState['effects']
  readonly timers: BoxState['timers']
}

export function plainStateOf({ value, context, effects, timers }: BoxState): PlainState {
  // How far the VMM's events were read is nothing that happened to the box.
  const { eventOffset: _, ...remembered } = context
  return { state: pathOf(value), ...remembered, effects, timers }
}
