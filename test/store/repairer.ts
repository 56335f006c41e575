import { repair } from './repaired.ts'

/** A program that repairs a home, for those who end it on its way. */

const [home = '', target = ''] = process.argv.slice(2)
await repair(home, target)
