/** What a key asks for. */
export type Command =
  | 'back'
  | 'forth'
  | 'back-state'
  | 'forth-state'
  | 'first'
  | 'last'
  | 'search'
  | 'leave'
  | 'take'
  | 'help'

const commands: Readonly<Record<string, Command>> = {
  ArrowLeft: 'back',
  ArrowUp: 'back',
  k: 'back',
  ArrowRight: 'forth',
  ArrowDown: 'forth',
  j: 'forth',
  '[': 'back-state',
  ']': 'forth-state',
  Home: 'first',
  End: 'last',
  '/': 'search',
  '?': 'help',
}

/** Undefined: the key is for the browser, or for what has the focus. */
export function commandOf({ key, target, ctrlKey, metaKey, altKey }: KeyboardEvent): Command | undefined {
  if (ctrlKey || metaKey || altKey) return undefined
  const element = target instanceof HTMLElement ? target : undefined
  if (element?.matches('input[type=search]')) {
    if (key === 'Escape') return 'leave'
    return key === 'Enter' ? 'take' : undefined
  }
  // What scrolls by itself keeps the keys up and down.
  const scrolls = element?.matches('pre, .details') === true
  if (scrolls && (key === 'ArrowUp' || key === 'ArrowDown')) return undefined
  return Object.hasOwn(commands, key) ? commands[key] : undefined
}
