import { executions } from './rows/executions.ts'
import { ledgers } from './rows/ledgers.ts'
import { lives } from './rows/lives.ts'
import type { Row } from './rows/row.ts'
import { snapshots } from './rows/snapshots.ts'
import { starts } from './rows/starts.ts'

/** How many rows the table of crashes has. */
export const rowCount = 44

export const rows: readonly Row[] = [...starts, ...lives, ...snapshots, ...executions, ...ledgers]

/** Rows about what there is not, with what that is. */
export const missing: Readonly<Record<number, string>> = {
  ...Object.fromEntries([27, 28, 29].map(row => [row, 'devices that are attached and detached'])),
  30: 'resizing',
  31: 'helper processes of a VMM',
  32: 'networks',
}
