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
  '${globalThis.broken = true}',
  '__proto__',
  '\\u003c/script\\u003e',
]
