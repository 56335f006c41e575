import { assign } from 'xstate'
import type { StampedEvent } from '../events.ts'
import type { BoxContext } from '../state.ts'
import type { Args } from './ends.ts'

/** An action: what an event changes in what a box remembers. */
export const change = (changed: (args: Args) => Partial<BoxContext>) =>
  assign<BoxContext, StampedEvent, undefined, StampedEvent, never>(changed)
