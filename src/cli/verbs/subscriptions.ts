import type { SubscriptionInfo } from '../../index.ts'
import type { Cli } from '../cli.ts'

const head = ['NAME', 'ACKNOWLEDGED', 'BEHIND', 'READ NOW', 'LOOKS FOR']

export function addSubscriptions({ program, onHome }: Cli): void {
  const subscriptions = program
    .command('subscriptions')
    .description('readers whose progress the home keeps: list and forget them')
  subscriptions
    .command('ls', { isDefault: true })
    .alias('list')
    .description('list them, with how far they have come')
    .action(() =>
      onHome(async ({ runtime, output, json }) => {
        const found = await runtime.subscriptions.list()
        await (json ? output.value(found) : output.table(head, found.map(rowOf)))
        return 0
      }),
    )
  subscriptions
    .command('rm')
    .description('forget how far one has come: under its name all begins anew')
    .argument('<name>')
    .action((name: string) =>
      onHome(async ({ runtime, output, json }) => {
        await runtime.subscriptions.remove(name)
        await (json ? output.value({ name }) : output.line(name))
        return 0
      }),
    )
  for (const command of subscriptions.commands) command.copyInheritedSettings(program)
}

function rowOf({ name, acknowledged, behind, active, box, types, labels }: SubscriptionInfo): string[] {
  const looksFor = [
    ...(box === undefined ? [] : [`box ${box}`]),
    ...(types ?? []),
    ...Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`),
  ]
  return [
    name,
    acknowledged === undefined ? 'damaged' : String(acknowledged),
    behind === undefined ? '-' : String(behind),
    active ? 'yes' : 'no',
    looksFor.length === 0 ? 'all' : looksFor.join(' '),
  ]
}
