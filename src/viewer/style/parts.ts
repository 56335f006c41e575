/** What a step is told with. */
export const partsStyle = `
.details:focus-visible { outline-offset: -2px }
.details h2 { font-size: 19px; font-weight: 650; letter-spacing: -.008em; margin: 1px 0; overflow-wrap: anywhere }
.details h3 { font-size: 11px; font-weight: 600; letter-spacing: .07em; text-transform: uppercase; color: var(--soft); margin: 20px 0 6px }
.over { font-size: 12.5px; color: var(--soft) } .over .mark { margin-left: 8px } .over .soft { white-space: pre }
.lead { overflow-wrap: anywhere; max-height: 6em; overflow: auto }
.move-words { margin-top: 10px }
.badge { display: inline-flex; align-items: baseline; gap: 6px; padding: 1px 9px; border-radius: 11px; font-size: 12.5px; font-weight: 600; line-height: 20px;
  color: var(--state, var(--soft)); background: color-mix(in srgb, var(--state, var(--soft)) 12%, var(--sheet)); border: 1px solid color-mix(in srgb, var(--state, var(--soft)) 45%, transparent) }
.badge small { font-weight: 450; font-size: 12px }
.badge.large { align-self: center }
.to-arrow { color: var(--soft); white-space: pre }
.fields { display: grid; grid-template-columns: minmax(6.5em, max-content) minmax(0, 1fr); gap: 3px 14px; font-size: 13px }
.fields .fields { border-left: 2px solid var(--line); padding-left: 10px; grid-template-columns: minmax(4em, max-content) minmax(0, 1fr) }
dt { color: var(--soft); overflow-wrap: anywhere }
dd { overflow-wrap: anywhere; min-width: 0 }
.fields > dt { max-width: 14em }
.text, .literal, .id, td, dd time { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace; font-size: 12.5px }
pre { margin: 2px 0; padding: 8px 10px; max-height: 16em; overflow: auto; background: var(--wash); border-radius: 6px; font: 12px/1.5 ui-monospace, 'SF Mono', Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere }
.nothing { color: var(--soft); font-style: italic }
.list { display: inline-flex; flex-wrap: wrap; gap: 2px 10px }
.chips { list-style: none; display: flex; flex-wrap: wrap; gap: 6px }
.chips li { border: 1px solid var(--line-strong); border-radius: 6px; padding: 0 8px; font-size: 13px; background: var(--sheet) }
.chips small { color: var(--soft); margin-left: 7px; font-size: 11.5px }
.chips .gone { text-decoration: line-through; color: var(--soft) }
.scrolls { overflow-x: auto }
.details details { margin-top: 10px } .details summary { cursor: pointer; color: var(--soft); font-size: 13px; width: max-content; margin-bottom: 6px }
table { width: 100%; border-collapse: collapse; font-size: 12.5px; table-layout: fixed }
th, td { text-align: start; vertical-align: top; padding: 4px 10px 4px 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere }
thead th { font-size: 11.5px; font-weight: 450; color: var(--soft); padding-top: 0 }
tbody th { font-weight: 450; color: var(--ink); width: 34% }
td.before, td.before * { color: var(--soft) } td.after { font-weight: 500 }
td .fields { font-size: 12px; grid-template-columns: minmax(0, 1fr); gap: 0 } td .fields .fields { grid-template-columns: minmax(0, 1fr) }
.chain { list-style: none; font-size: 13px }
.chain a { display: inline-flex; max-width: 100%; gap: 8px; align-items: baseline; color: inherit; text-decoration: none; padding: 1px 0 }
.chain a::before { content: ''; flex: none; width: 8px; height: 8px; border-radius: 50%; background: var(--state, var(--soft)) }
.chain a:hover bdi { text-decoration: underline }
.chain .soft { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.note { color: var(--soft) }
dialog { border: 1px solid var(--line-strong); border-radius: 10px; background: var(--sheet); color: var(--ink); padding: 20px 26px; max-width: 30em }
dialog::backdrop { background: rgb(0 0 0 / .35) }
dialog h2 { font-size: 16px; margin-bottom: 10px } dialog dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin-bottom: 16px }
dialog dt { color: var(--ink); font-weight: 600 }
`
