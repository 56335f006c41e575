export type { Audit, Moment } from './api/audit.ts'
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
export type { AddImageOptions, Images, RootImageSpec, TemplateOptions } from './api/images.ts'
export type { BoxOptions } from './api/options.ts'
export { BoxRuntime } from './api/runtime.ts'
export type { ListFilter, OpenOptions } from './api/runtime-options.ts'
export type { BoxSnapshots, CloneOptions, SnapshotInfo } from './api/snapshots.ts'
export type { ConnectOptions } from './api/socket/connect.ts'
export type {
  DurableSubscription,
  SubscriptionInfo,
  SubscriptionOptions,
  Subscriptions,
} from './api/subscriptions.ts'
export type { ExportOptions } from './api/transfer.ts'
export { InteractiveBox, type SessionEnd } from './api/wrappers/interactive-box.ts'
export type { InteractiveBoxOptions } from './api/wrappers/interactive-options.ts'
export { type MadeBox, SimpleBox } from './api/wrappers/simple-box.ts'
export type {
  Asker,
  BoxActor,
  BoxEnding,
  BoxInfo,
  BoxMetrics,
  Clock,
  Explanation,
  ForkEvent,
  ForkResult,
  ForkStep,
  Held,
  ImageInfo,
  PendingTimer,
  RuntimeMetrics,
  StartStage,
  StartTimes,
  TemplateInfo,
} from './engine/index.ts'
export {
  BoxError,
  type BoxEvent,
  type BoxSpec,
  type BoxTag,
  type Difference,
  type DiskSpec,
  type EndingCause,
  type ErrorCode,
  errorCodes,
  type HealthState,
  type ImageSpec,
  type LedgerRecord,
  type PublicState,
  type ReadySpec,
  type StopMode,
} from './machines/index.ts'
export type { ArchiveReport, CompactReport, ImportReport, RepairReport, VerifyReport } from './store/index.ts'
export type { ConsoleOf } from './vmm/index.ts'
