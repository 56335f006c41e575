/** The machine: quiet where the box has not been, in the state's colour where it is. */
export const drawingStyle = `
.drawing { width: 100%; height: 100%; max-width: 780px; font-size: 11.5px; color: var(--ink) }
.drawing text { fill: var(--soft); dominant-baseline: auto }
.drawing .middle { text-anchor: middle; dominant-baseline: central }
.place rect { fill: var(--sheet); stroke: var(--line-strong); stroke-width: 1 }
.place.group rect { fill: var(--wash); stroke: none }
.place.group text { font-size: 11px; letter-spacing: .04em }
.place.state text { font-size: 12.5px }
.place.stage rect { stroke: var(--line) } .place.stage text { font-size: 11px }
.place.visited > text { fill: var(--ink) }
.place.state.visited > text { font-weight: 600 }
.place.state.visited > rect { stroke: var(--state) }
.place.stage.visited > rect { stroke: var(--line-strong) }
.place.state.now > rect { stroke: var(--state); stroke-width: 2.5; fill: color-mix(in srgb, var(--state) 11%, var(--sheet)) }
.place.state.now > text { fill: var(--ink); font-weight: 700 }
.place.stage.now > rect { fill: var(--state); stroke: var(--state) }
.place.stage.now > text { fill: var(--sheet); font-weight: 600 }
.line { fill: none; stroke: var(--line-strong); stroke-width: 1; opacity: .75 }
.line.taken { stroke: var(--soft); stroke-width: 2; opacity: 1 }
.move { fill: none; stroke: var(--accent); stroke-width: 3; stroke-linecap: round }
.move[d=''] { display: none }
.drawing marker path { fill: var(--accent) }
.count { visibility: hidden } .count.shown { visibility: visible }
.count rect { fill: var(--sheet); stroke: var(--soft) }
.count text { font-size: 10px; font-weight: 600; fill: var(--ink) }
@media (max-width: 759px) {
  .place.state text { font-size: 16px } .place.stage text { font-size: 12px } .place.group text { font-size: 14px }
}
@media (prefers-reduced-motion: no-preference) {
  .move.going { stroke-dasharray: 1; animation: go .28s ease-out }
  @keyframes go { from { stroke-dashoffset: 1 } to { stroke-dashoffset: 0 } }
}
`
