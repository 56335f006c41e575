export { argumentsKey, hashArguments } from './arguments-key.ts'
export {
  type ConsoleOf,
  type ConsolePiece,
  consoleTail,
  type ReadConsoleOptions,
  readConsole,
  readConsolePieces,
} from './console.ts'
export { type DiscoverOptions, type Discovery, discover } from './discovery/discover.ts'
export type { DriverEvent, DriverInput, Hands, LivingVmm, RunsOnHost, VmmChoice } from './driver.ts'
export { checkHome } from './files/paths.ts'
export { removeBoxFiles } from './files/remove.ts'
export type { GuestChannel } from './guest/channel.ts'
export { copyIn } from './guest/copy/copy-in.ts'
export { copyOut } from './guest/copy/copy-out.ts'
export type { CopyProgress } from './guest/copy/copying.ts'
export { FrameReader, frameOf } from './guest/frames.ts'
export { Program, type ProgramSpec } from './guest/program.ts'
export { agentMissing, type GuestPlace, hasAgent } from './guest/reach.ts'
export { settleGuest } from './guest/settle.ts'
export { window } from './images/agent-protocol.ts'
export { ImageError } from './images/image-error.ts'
export { addImage } from './images/named/add.ts'
export { type FoundImage, listImages } from './images/named/list.ts'
export { readManifest } from './images/named/manifest.ts'
export { removeImage, removeImageLeftovers } from './images/named/remove.ts'
export type { RootSpec } from './images/named/root-disk.ts'
export type { VmmLooks, VmmPlace, VmmReading } from './looks.ts'
export {
  draftSecrets,
  dropDraft,
  keepSecrets,
  mayHaveSecrets,
  readSecrets,
  revealed,
  type Secrets,
  settleDrafts,
} from './secrets.ts'
export { ownDisksMib } from './snapshots/own-disks.ts'
export { checkTemplate, chooseTemplate, type Start as TemplateStart } from './templates/fit.ts'
export { keepTemplate } from './templates/keep.ts'
export { type FoundTemplate, foundOf, listTemplates } from './templates/list.ts'
export type { TemplateSize } from './templates/place.ts'
export { removeTemplateLeftovers, removeTemplates } from './templates/remove.ts'
export { specOf, startOf } from './templates/start-of.ts'
export { obstacleIn } from './templates/suitable.ts'
export { vmmDriver, vmmHands } from './vmm-driver.ts'
