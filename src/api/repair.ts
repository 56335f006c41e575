import { resolve } from 'node:path'
import { type RepairReport, repairLedger } from '../store/index.ts'
import { checkedHome } from './checked-home.ts'
import { check, shapes } from './options.ts'
import { engineName } from './version.ts'

/** Writes every good record of one home to another; see `BoxRuntime.repair`. */
export async function repair(home: string, target: string): Promise<RepairReport> {
  check(shapes.path, home, 'home')
  check(shapes.path, target, 'target')
  return repairLedger({
    home: resolve(home),
    target: checkedHome(target),
    engine: engineName,
    now: Date.now,
  })
}
