const gap = '   '

/** Left-aligned columns, as wide as their longest cell; no white space at the ends of lines. */
export function formatTable(
  head: readonly string[] | undefined,
  rows: readonly (readonly string[])[],
): string {
  const all = head === undefined ? rows : [head, ...rows]
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map(row => (row[column] ?? '').length)))
  const lines = all.map(row => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(gap))
  return lines.map(line => `${line.trimEnd()}\n`).join('')
}
