/** On paper: no keys, all rows, black on white. */
export const printStyle = `
@media print {
  :root { --paper: #fff; --sheet: #fff; --wash: #f4f4f2; --line: #ddd; --ink: #000; --soft: #555; color-scheme: light }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact }
  #root { display: block; height: auto }
  .bar-of-steps, .cursor, dialog { display: none }
  .panes { display: block }
  .machine { border: 0; break-inside: avoid } .drawing { max-height: 22cm; height: auto }
  .details { overflow: visible; break-before: auto }
  .timeline, .timeline.unrolled { overflow: visible; height: auto; break-before: page }
  .unrolled .row { position: static; contain: none; break-inside: avoid }
}
`
