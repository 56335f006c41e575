/** What the page is told of a box: its records as steps, with all that is to be shown of each worked out. JSON. */
export interface Story {
  readonly id: string
  /** the last one it had */
  readonly name: string | null
  /** what it was made of, a phrase each */
  readonly spec: readonly string[]
  /** when this was told, in `ms since 1970`, as all times here */
  readonly toldAt: number
  /** by position */
  readonly steps: readonly Step[]
  readonly incarnations: readonly Incarnation[]
  /** boots of hosts, by ID, in the order in which they are met */
  readonly boots: readonly string[]
  /** names and versions of engines, likewise */
  readonly engines: readonly string[]
  /** why the records end before their time */
  readonly damage?: string
  /** position from which the machine of today does not come to what was recorded, so that states are not known */
  readonly unfolded?: number
}

/** One record. */
export interface Step {
  readonly position: number
  /** of the box, or of the execution */
  readonly version: number
  /** ID of the execution that it is of, in place of the box */
  readonly execution?: string
  readonly at: number
  /** with all its fields */
  readonly event: { readonly type: string }
  /** what matters of the event beside its name, in few words */
  readonly words: string
  /** states with their stages, such as `starting.queued`; empty before the first */
  readonly from: string
  readonly to: string
  readonly effects: readonly { readonly id: string; readonly type: string }[]
  /** by the machine's own names of delays */
  readonly timers: {
    readonly set: readonly { readonly id: string; readonly dueAt: number }[]
    readonly cancelled: readonly string[]
  }
  readonly differences: readonly Difference[]
  /** of the state, its effects and its timers */
  readonly incarnation: number
  /** position of the record that led to it; maybe of another box */
  readonly cause?: number
  readonly commandId?: string
  readonly actor?: string
  /** which of the story's boots */
  readonly boot: number
  /** number of the ownership of the home */
  readonly epoch: number
  /** which of the story's engines */
  readonly engine: number
  readonly hash: string
}

export interface Difference {
  readonly path: readonly string[]
  /** absent: there was nothing */
  readonly before?: unknown
  /** absent: there is nothing any more */
  readonly after?: unknown
}

/** A VMM process of the box. */
export interface Incarnation {
  readonly number: number
  /** indexes of its first step and of its last */
  readonly first: number
  readonly last: number
  /** how it ended; absent: it has not */
  readonly ending?: { readonly cause: string; readonly words: string; readonly step: number }
}
