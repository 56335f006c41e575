/** Keeps the process alive until it is disposed of: for somebody who waits for what by itself would not. */
export function keptAlive(): Disposable {
  const timer = setInterval(() => {}, 0x7fffffff)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
