import { readMachine } from '../../api/machine/graph.ts'
import { drawInside, drawLife } from '../../api/machine/mermaid.ts'
import { machinePage } from '../../api/machine/page.ts'
import { acceptanceTable, arrowsOf, casesTable } from '../../api/machine/text.ts'
import { BoxError } from '../../index.ts'
import type { Cli } from '../cli.ts'

interface Flags {
  readonly mermaid?: boolean
  readonly markdown?: boolean
}

export function addMachine({ program, alone }: Cli): void {
  program
    .command('machine')
    .description('the state machine that every box is: its drawing, and what each event does in each state')
    .argument('[state]', 'only this public state, such as starting, from within')
    .option('--mermaid', 'the drawing as Mermaid text, to be rendered')
    .option('--markdown', 'all of it as one page, docs/machine.md')
    .action((only: string | undefined, { mermaid = false, markdown = false }: Flags) =>
      alone(async ({ json, output }) => {
        const machine = readMachine()
        const state = machine.children.find(({ path }) => path === only)
        if (only !== undefined && state === undefined)
          throw new BoxError('INVALID_ARGUMENT', `state must be one of ${names(machine)}`, {
            details: { field: 'state' },
          })
        if (json) return output.value(state ?? machine)
        if (markdown) return output.write(machinePage())
        if (mermaid) return output.write(`${state === undefined ? drawLife(machine) : drawInside(state)}\n`)
        if (state === undefined) {
          await output.table(['STATE', 'LEADS TO', 'BY'], arrowsOf(machine))
          const { head, rows } = acceptanceTable(machine)
          await output.line('')
          await output.table(head, rows)
          await output.line('')
        } else await output.write(`${state.path}: ${state.description}.\n\n`)
        const { head, rows } = casesTable(machine, state?.path)
        await output.table(head, rows)
      }),
    )
}

function names({ children }: ReturnType<typeof readMachine>): string {
  return children.map(({ path }) => path).join(', ')
}
