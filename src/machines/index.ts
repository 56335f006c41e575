export { boxMachine } from './box.ts'
export { commandOf, idPattern, namePattern } from './commands.ts'
export {
  type Boundary,
  type CrashPoint,
  type CrashStep,
  crashPoints,
  crashSteps,
  noBoundary,
} from './crash-points.ts'
export { type Difference, differencesOf, isSameJson } from './differences.ts'
export type { Effect, EffectType, Timer } from './effects.ts'
export { type Ending, type EndingCause, stateAfter } from './ending.ts'
export { BoxError, type BoxErrorOptions, type ErrorCode, errorCodes, isErrorCode } from './errors.ts'
export {
  type BoxCommand,
  type BoxEvent,
  type BoxFact,
  type EventType,
  type Exit,
  type Failure,
  isCommand,
  type ProcessIdentity,
  type StampedEvent,
  type StopRung,
  type VmPresence,
} from './events.ts'
export { executionMachine } from './execution.ts'
export {
  type ExecutionEvent,
  type ExecutionFact,
  type ExecutionOutcome,
  type ExecutionRequest,
  type ExecutionState,
  type HashedArguments,
  isExecutionEvent,
  type KillReason,
} from './execution-events.ts'
export { type PlainState, plainStateOf } from './plain-state.ts'
export { backoffMs } from './policy.ts'
export { printable, quoted } from './quoted.ts'
export {
  type BoxRecord,
  type ExecutionHead,
  type ExecutionRecord,
  type Head,
  isExecutionHead,
  type LedgerRecord,
  type RecordMeta,
  type StreamHead,
} from './record.ts'
export { type Recorded, replay } from './replay.ts'
export {
  isAsWritten,
  isUnsupported,
  type Schema,
  schema,
  type Told,
  type Unsupported,
  type Upcaster,
  upcast,
  versioned,
} from './schema.ts'
export {
  isTemplate,
  type KeptSnapshot,
  mostSnapshots,
  type Origin,
  type SnapshotIntent,
  type SnapshotPlace,
  type SnapshotsState,
  snapshotsOf,
  type TemplatePlace,
} from './snapshots.ts'
export {
  type Backoff,
  type BoxSpec,
  type DiskSpec,
  defaultBackoff,
  defaultHealth,
  type EnvValue,
  type HealthSpec,
  type HealthState,
  type ImageSpec,
  type ReadySpec,
  type RestartSpec,
  readyOf,
  type StopMode,
} from './spec.ts'
export {
  type BoxContext,
  type BoxState,
  type BoxTag,
  type PublicState,
  pathOf,
  publicStateOf,
  publicStates,
  type StateValue,
  type StopIntent,
  stageOf,
} from './state.ts'
export {
  accepts,
  type BoxSnapshot,
  type ExecutionTransition,
  isRefusal,
  type Refusal,
  type StepInput,
  type StreamEvent,
  type StreamState,
  type StreamTransition,
  snapshotOf,
  step,
  stepExecution,
  stepStream,
  type Transition,
} from './step.ts'
export { isBody, isBoxState, isHead, isStreamHead } from './stored.ts'
export { isStream, partsOf, type StreamParts, safeIdPattern, streamOf } from './streams.ts'
export { delayOf } from './xstate.ts'
