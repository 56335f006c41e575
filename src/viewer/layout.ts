/** Where everything of the drawing of the machine is, in `px` of its own. */
export interface Layout {
  readonly width: number
  readonly height: number
  /** outer ones before inner ones */
  readonly places: readonly Place[]
  readonly lines: readonly Line[]
}

/** A state, a stage of one, or a group of states. */
export interface Place {
  /** path of the state, or name of the group */
  readonly id: string
  readonly kind: 'group' | 'state' | 'stage'
  /** place that it is in */
  readonly within?: string
  readonly description: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** A way from one place to another. Where the way back is not drawn, it is the same line. */
export interface Line {
  readonly from: string
  readonly to: string
  /** corners, as x and y in turn */
  readonly points: readonly number[]
}
