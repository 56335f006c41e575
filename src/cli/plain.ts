import { printable } from '../machines/index.ts'

/** What boxes and files say is shown without what would steer a terminal. */
export const plainLine = printable

/** The same, of text of several lines. */
export function plainText(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

/** JSON says the same with escapes. */
export function plainJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
