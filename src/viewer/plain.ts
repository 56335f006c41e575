/**
 * Text of others as it may be shown: what would hide it, turn it round or break its line is written out, so that
 * nothing looks like what it is not.
 */
export function plain(text: string): string {
  return text.replace(hidden, char => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
}

const hidden =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is written out
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g
