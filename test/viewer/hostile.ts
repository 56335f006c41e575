/** What a label, a log line or a message may hold, to break out of where it is shown, or to look like another. */
export const hostileTexts: readonly string[] = [
  '</script><script>globalThis.broken = true</script>',
  '<!-- <script>',
  '<img src=x onerror="globalThis.broken = true">',
  ']]></style><svg onload=globalThis.broken=true>',
  '"><a href="javascript:globalThis.broken=true">x</a>',
  'line\u2028and\u2029line',
  '\u202ednammoc\u202c \u2066isolated',
  'a\u0000b\u001b[31mc\u0007',
  '\ud800 lone',
  '`\u0024{globalThis.broken = true}`',
  '__proto__',
  '\\u003c/script\\u003e',
]

/** Whether some of it would steer, hide or turn round what is shown. */
export const hasHidden = (text: string): boolean =>
  [...text].some(letter => {
    const code = letter.codePointAt(0) ?? 0
    return code < 32 || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)
  })
