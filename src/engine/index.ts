export { keptAlive } from './alive.ts'
export type {
  Asker,
  Explanation,
  ForkEvent,
  ForkResult,
  ForkStep,
  Held,
  PendingTimer,
} from './audit/index.ts'
export * as audit from './audit/index.ts'
export type { BoxMetrics } from './box-metrics.ts'
export { Engine } from './engine.ts'
export type { RunningExecution } from './executions.ts'
export { type BoxActor, Followers } from './followers.ts'
export type { ImageInfo } from './images.ts'
export * as images from './images.ts'
export { type BoxEnding, type BoxInfo, infoOf, infoOfParked, tagOf } from './info.ts'
export * as lifecycle from './lifecycle.ts'
export { find, findExact, notFound } from './lookup.ts'
export type { RuntimeMetrics } from './metrics.ts'
export type { EngineOptions } from './options.ts'
export { createRoot, type Inspect } from './root.ts'
export { hasSecrets } from './secrets.ts'
export * as snapshots from './snapshots.ts'
export type { StartStage, StartTimes } from './start-times.ts'
export { withStrays } from './strays.ts'
export { records, type StreamOptions } from './stream.ts'
export { busy, notDelivered, type SubscriptionInfo, Subscriptions } from './subscriptions.ts'
export { closedError } from './tail.ts'
export type { TemplateInfo } from './templates.ts'
export * as templates from './templates.ts'
export { within } from './time-limit.ts'
export { aborted, assertWanted, unlessAborted, whileWanted } from './waiting.ts'
export { type Clock, newId, type World } from './world.ts'
