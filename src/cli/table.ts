const gap = '   '

/** Left-aligned columns, as wide as their longest cell; no white space at the ends of lines. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map(row => (row[column] ?? '').length)))
  const lines = all.map(row => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(gap))
  return lines.map(line => `${line.trimEnd()}\n`).join('')
}
