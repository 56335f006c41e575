/** The package has no types of its own; this is what we use of it. */
declare module 'fs-native-extensions' {
  /**
   * Takes an advisory lock on an open file, or tells that another open file description has it. The kernel drops it
   * when the last descriptor of this description is closed, so also when the process dies.
   */
  export function tryLock(
    fd: number,
    offset?: number,
    length?: number,
    options?: { shared?: boolean },
  ): boolean
  export function unlock(fd: number, offset?: number, length?: number): void
}
