/** The page's parts and how they stand, on wide and on narrow screens. */
export const frameStyle = `
* { box-sizing: border-box }
html { font: 14px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif; font-variant-numeric: tabular-nums }
body { margin: 0; background: var(--paper); color: var(--ink) }
#root { display: flex; flex-direction: column; height: 100vh; height: 100dvh }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
.spoken { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
.soft { color: var(--soft) }
h1, h2, h3, p, ul, ol, dl, dd, figure { margin: 0; padding: 0 }

.summary { padding: 18px 24px 10px; display: grid; gap: 2px; max-height: 45vh; overflow: auto; flex: none }
.who { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 14px }
h1 { font-size: 24px; line-height: 1.25; font-weight: 650; letter-spacing: -.012em; overflow-wrap: anywhere }
.id { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace; font-size: 12.5px }
.facts { font-size: 12.5px }
.alarm { margin-top: 8px; padding: 8px 12px; border-radius: 6px; background: var(--alarm-wash); color: var(--alarm); overflow-wrap: anywhere }
.endings { margin-top: 6px; font-size: 12.5px; max-height: 22vh; overflow: auto }
.endings summary { cursor: pointer; color: var(--soft); width: max-content }
.endings ol { margin-top: 4px; display: flex; flex-wrap: wrap; gap: 0 18px }

.top { padding: 0 24px 10px; border-bottom: 1px solid var(--line) }
.track { position: relative; height: 44px }
.states { display: block; width: 100%; height: 100% }
.bar { fill: var(--state) }
.states line { stroke: var(--ink); stroke-width: 1.5; vector-effect: non-scaling-stroke; stroke-dasharray: 3 3 }
.states line.host { stroke-width: 2.5; stroke-dasharray: none }
.cursor { position: absolute; top: -3px; bottom: -3px; width: 2px; margin-left: -1px; background: var(--accent); pointer-events: none; border-radius: 1px }
.cursor::before { content: ''; position: absolute; top: -3px; left: -4px; border: 5px solid transparent; border-top-color: var(--accent) }
.slider { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: ew-resize }
.track:focus-within { outline: 2px solid var(--accent); outline-offset: 4px; border-radius: 2px }
.bands { position: relative; height: 20px; margin-top: 3px; overflow: hidden }
.band { position: absolute; inset-block: 0; overflow: hidden; border-inline: 1px solid var(--paper); border-radius: 3px;
  background: var(--wash); color: var(--soft); font-size: 11px; line-height: 20px; padding-inline: 5px; white-space: nowrap; text-overflow: clip }
.bar-of-steps { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 14px; margin-top: 8px }
.buttons { display: flex }
button { font: inherit; color: inherit; background: var(--sheet); border: 1px solid var(--line-strong); border-radius: 6px; min-width: 34px; height: 30px; padding: 0 9px; cursor: pointer }
button:hover { background: var(--wash) }
.buttons button { border-radius: 0; margin-left: -1px }
.buttons button:first-child { border-radius: 6px 0 0 6px } .buttons button:last-child { border-radius: 0 6px 6px 0 }
.where { color: var(--soft); min-width: 7em }
.find { margin-left: auto; display: flex; flex-direction: row-reverse; align-items: center; gap: 10px; color: var(--soft); font-size: 12.5px }
input[type=search] { font: inherit; font-size: 14px; color: var(--ink); background: var(--sheet); border: 1px solid var(--line-strong); border-radius: 6px; height: 30px; padding: 0 10px; width: 210px }

.panes { flex: 1; min-height: 0; display: grid; grid-template-columns: minmax(320px, 3.4fr) minmax(340px, 6fr) minmax(350px, 4fr); grid-template-rows: minmax(0, 1fr) }
.panes > *, .side > * { min-width: 0; min-height: 0 }
.side { display: contents }
.machine { border-inline: 1px solid var(--line); padding: 14px; display: flex; justify-content: center; background: var(--sheet) }
.details { overflow: auto; padding: 18px 24px 40px; scrollbar-gutter: stable }

@media (max-width: 1179px) {
  .panes { grid-template-columns: minmax(310px, 2fr) minmax(0, 3fr) }
  .side { display: block; overflow: auto; border-left: 1px solid var(--line) }
  .machine { border: 0; border-bottom: 1px solid var(--line) }
  .machine svg { height: auto; max-height: 78vh }
  .details { overflow: visible }
}
@media (max-width: 759px), (max-height: 559px) {
  #root { height: auto; min-height: 100dvh }
  .summary { padding: 14px 16px 8px } .top { padding: 6px 16px 8px; position: sticky; top: 0; background: var(--paper); z-index: 2 }
  .bar-of-steps { gap: 8px }
  .find { margin-left: 0; flex: 1 1 100%; order: 5; flex-direction: row } .find input { flex: 1; width: auto }
  .where { flex: 1; min-width: 0; text-align: center }
  .buttons button { min-width: 44px; height: 38px }
  .panes { display: flex; flex-direction: column }
  .side { overflow: visible; border: 0 }
  .timeline { order: 3; height: 70vh; flex: none; border-top: 1px solid var(--line) }
  .machine { border: 0; padding: 10px 8px }
  .machine svg { max-height: none }
  .details { padding: 14px 16px 20px }
}
`
