/** The rows of steps; their height is the one that the list counts with. */
export const timelineStyle = `
.timeline { overflow: auto; position: relative; overscroll-behavior: contain; outline-offset: -2px !important }
.timeline.none::before { content: 'Nothing is found.'; display: block; padding: 24px; color: var(--soft) }
.rows { position: relative }
.row { position: absolute; inset-inline: 0; height: 48px; padding: 5px 20px 5px 24px; cursor: default; border-bottom: 1px solid var(--line);
  display: grid; grid-template-columns: 12px auto minmax(0, 1fr) auto; grid-template-rows: 19px 18px; column-gap: 8px; align-items: center;
  font-size: 13.5px; line-height: 19px; contain: strict }
.row:hover { background: var(--wash) }
.row[aria-selected=true] { background: var(--accent-wash); box-shadow: inset 3px 0 var(--accent) }
.dot { width: 9px; height: 9px; border-radius: 50%; background: var(--state, var(--soft)) }
.s-crashed .dot, .s-failed .dot { border-radius: 1px; transform: rotate(45deg) }
.s-stopped .dot, .s-configured .dot, .s-removed .dot, .s-removing .dot { border-radius: 2px }
.s-starting .dot, .s-stopping .dot, .s-unknown .dot { background: none; border: 2.5px solid var(--state) }
.version { color: var(--soft); font-size: 12px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; min-width: 2.6em; max-width: 12em }
.event { font-weight: 550; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
.when, .since { font-size: 12px; color: var(--soft); text-align: end; white-space: nowrap }
.second { grid-column: 2 / 4; grid-row: 2; display: flex; gap: 10px; align-items: baseline; min-width: 0 }
.words { flex: 0 1 auto; min-width: 0; color: var(--soft); font-size: 12.5px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
.row .to.same { margin-right: -10px }
.words:empty, .words:has(bdi:empty) { display: none }
.row .to { flex: 0 1 auto; min-width: 0; font-size: 12px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
.row .to:has(+ .words) { max-width: 60% }
.row .to.state { color: var(--state); font-weight: 600 } .row .to.stage { color: var(--soft) }
.row .when { grid-column: 4; grid-row: 1 } .row .since { grid-column: 4; grid-row: 2 }
.mark { display: inline-block; font-size: 11px; line-height: 15px; padding: 0 6px; margin-right: 6px; border-radius: 8px; border: 1px dashed var(--ink); color: var(--ink) }
.mark.host { border-style: solid; border-width: 1.5px; font-weight: 600 }
.row.execution { padding-left: 40px; font-size: 12.5px } .row.execution .event { font-weight: 450 }
.row.execution .dot { background: none; border: 1.5px solid var(--state); border-radius: 2px }
`
