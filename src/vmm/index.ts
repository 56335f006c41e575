export { type ConsolePiece, type ReadConsoleOptions, readConsole, readConsolePieces } from './console.ts'
export { type DiscoverOptions, type Discovery, discover } from './discovery/discover.ts'
export type { DriverEvent, DriverInput, Hands, LivingVmm, RunsOnHost, VmmChoice } from './driver.ts'
export { checkHome } from './files/paths.ts'
export { removeBoxFiles } from './files/remove.ts'
export {
  draftSecrets,
  dropDraft,
  keepSecrets,
  readSecrets,
  type Secrets,
  settleDrafts,
} from './secrets.ts'
export { vmmDriver, vmmHands } from './vmm-driver.ts'
