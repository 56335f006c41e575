/** What was archived. */
export interface ArchiveReport {
  /** removed boxes whose records were moved */
  readonly boxes: number
  readonly records: number
  /** size of the new segments, in `bytes` */
  readonly bytes: number
  /** new segments: their files under the home, with what they hold */
  readonly segments: readonly {
    readonly file: string
    readonly records: number
    readonly bytes: number
    readonly sha256: string
  }[]
  /** removed boxes that stay as they are, since records of theirs are damaged */
  readonly left: readonly string[]
}
