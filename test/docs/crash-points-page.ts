import { crashSteps } from 'boxledger/machines'

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`

/** The page about crash points, made from their list. */
export function crashPointsPage(): string {
  const rows = crashSteps.map(({ step, what }, n) => [`${2 * n + 1}, ${2 * n + 2}`, `\`${step}\``, what])
  return `${[
    '# Crash points',
    'Made from `src/machines/crash-points.ts` by `npm run docs`; do not edit. A test fails when this page is stale.',
    'Each step that the engine and its driver take on the disk, on a VMM or on the host, with the numbers of the two ' +
      'points at which a crash can part it from the rest: before and after it. `test/engine/crash-points.test.ts` ends ' +
      'an engine by SIGKILL at every one of them, opens the home again, and holds what it finds against the guarantees ' +
      'of [recovery](recovery.md). It fails where a point of this list is never come to, and where one is come to that ' +
      'is not on it.',
    'A program sees them by `seams.boundary`, which is told the point, such as `before spawn`, and may end the process.',
    [row(['Points', 'Step', 'What it does']), row(['---', '---', '---']), ...rows.map(row)].join('\n'),
  ].join('\n\n')}\n`
}
