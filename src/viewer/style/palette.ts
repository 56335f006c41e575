/** Colours, by what they mean; the states' are told apart by the colour-blind too, and never stand alone. */
export const paletteStyle = `
:root {
  color-scheme: light dark;
  --paper: #fbfbfa; --sheet: #ffffff; --wash: #f3f3f0; --line: #e2e2dd; --line-strong: #c6c6bf;
  --ink: #1d1d1b; --soft: #6a6a64; --accent: #2459c4; --accent-wash: #e8eefb; --alarm: #9c2a10; --alarm-wash: #fcebe5;
  --configured: #73736d; --starting: #9a6700; --running: #087f5b; --paused: #2b77b8; --stopping: #9a6700;
  --stopped: #73736d; --crashed: #c4410a; --failed: #a8337f; --unknown: #7a5cc9; --removing: #55554f; --removed: #7d7d76;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #161615; --sheet: #1d1d1c; --wash: #252523; --line: #33332f; --line-strong: #51514b;
    --ink: #ececE7; --soft: #a09f97; --accent: #8db2ff; --accent-wash: #22304d; --alarm: #ffab90; --alarm-wash: #43211a;
    --configured: #8f8f87; --starting: #e5ac33; --running: #3cc795; --paused: #6fb7f2; --stopping: #e5ac33;
    --stopped: #9b9b92; --crashed: #ff7d4a; --failed: #e583c1; --unknown: #b39cf5; --removing: #aaaaa1; --removed: #8b8b83;
  }
}
.s-configured { --state: var(--configured) } .s-starting { --state: var(--starting) }
.s-running { --state: var(--running) } .s-paused { --state: var(--paused) }
.s-stopping { --state: var(--stopping) } .s-stopped { --state: var(--stopped) }
.s-crashed { --state: var(--crashed) } .s-failed { --state: var(--failed) }
.s-unknown { --state: var(--unknown) } .s-removing { --state: var(--removing) }
.s-removed { --state: var(--removed) } .s-ended { --state: var(--soft) } .s-lost { --state: var(--crashed) }
@media (forced-colors: active) { .dot, .cursor, .chain a::before { forced-color-adjust: none } }
`
