/** Longest foreign text that a message repeats, in `characters`. */
const longest = 80

/**
 * A value from outside, as a message may repeat it: short, on one line, and without anything that steers a terminal.
 * Never throws, whatever the value is.
 */
export function quoted(value: unknown): string {
  if (typeof value !== 'string') return nameOf(value)
  return JSON.stringify(printable(value.slice(0, longest))) + (value.length > longest ? '…' : '')
}

/** Text without control characters, which might steer a terminal; a tab stays. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '')
}

function nameOf(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  if (typeof value === 'function') return 'a function'
  // A symbol cannot be made text by a template.
  return String(value).slice(0, longest)
}
