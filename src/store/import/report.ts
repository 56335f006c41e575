/** What was imported. */
export interface ImportReport {
  readonly records: number
  /** those that are removed among them */
  readonly boxes: number
  /** last position, and the hash of its frame */
  readonly position: number
  readonly hash: string
  /** the one box that the export was of, by ID; absent: all */
  readonly box?: string
  /** streams that came parked, or whose records do not fold */
  readonly parked: readonly { readonly box: string; readonly position?: number; readonly reason: string }[]
}
