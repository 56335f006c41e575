import { BoxError } from '../machines/index.ts'
import { checkHome } from '../vmm/index.ts'
import { homeOf } from './home.ts'

/** The home that is meant; throws `INVALID_ARGUMENT` if none can be there. */
export function checkedHome(wanted: string | undefined): string {
  const home = homeOf(wanted, process.env)
  const problem = checkHome(home)
  if (problem !== undefined) throw new BoxError('INVALID_ARGUMENT', problem, { details: { field: 'home' } })
  return home
}
