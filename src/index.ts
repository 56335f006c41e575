export type {
  Box,
  BoxEventsOptions,
  CommandOptions,
  ConsoleOptions,
  CopyOptions,
  CopyProgress,
  EventsOptions,
  RemoveOptions,
  StopOptions,
  WaitForOptions,
} from './api/box.ts'
export type { ExecOptions, Execution, ExecutionEnd, ExecutionResult } from './api/execution.ts'
export { type HostInfo, type HostInfoOptions, hostInfo, type VmmFinding } from './api/host.ts'
export type { BoxOptions } from './api/options.ts'
export { BoxRuntime } from './api/runtime.ts'
export type { ListFilter, OpenOptions } from './api/runtime-options.ts'
export type { BoxSnapshots, CloneOptions, SnapshotInfo } from './api/snapshots.ts'
export type { ConnectOptions } from './api/socket/connect.ts'
export type { BoxActor, BoxEnding, BoxInfo, Clock, RuntimeMetrics } from './engine/index.ts'
export {
  BoxError,
  type BoxSpec,
  type BoxTag,
  type DiskSpec,
  type EndingCause,
  type ErrorCode,
  errorCodes,
  type ImageSpec,
  type LedgerRecord,
  type PublicState,
  type ReadySpec,
  type StopMode,
} from './machines/index.ts'
export type { ArchiveReport, CompactReport, RepairReport, VerifyReport } from './store/index.ts'
