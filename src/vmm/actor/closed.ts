/** Thrown within the driver once it has been stopped or the engine takes no more facts: all that runs ends quietly. */
export class Closed extends Error {
  override readonly name = 'Closed'
}
