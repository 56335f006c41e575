/** The public state of a path such as `starting.queued`. */
export function stateOf(path: string): string {
  return path.split('.', 1)[0] ?? ''
}

/** The rest of it: its stage, or nothing. */
export function stageOf(path: string): string {
  const dot = path.indexOf('.')
  return dot < 0 ? '' : path.slice(dot + 1)
}
