/** The lines of pages, one by one. A generator would make three promises for each. */
export function linesOf(
  pages: AsyncGenerator<readonly string[], void, undefined>,
): AsyncIterableIterator<string> {
  let page: readonly string[] = []
  let at = 0
  return {
    async next() {
      while (at >= page.length) {
        const next = await pages.next()
        if (next.done) return { done: true, value: undefined }
        page = next.value
        at = 0
      }
      const value = page[at] as string
      at += 1
      return { done: false, value }
    },
    async return() {
      await pages.return()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
