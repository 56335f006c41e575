/** The caller's options, whose wait ends when the caller goes; what is no object is left for the runtime to refuse. */
export function until(options: unknown, signal: AbortSignal): never {
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options)
  return (isObject ? { ...options, signal } : options === undefined ? { signal } : options) as never
}
