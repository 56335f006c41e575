/** Work to be done once the transition that asks for it is durable; named after the machine's invocations. */
export type EffectType =
  | 'queueStart'
  | 'prepareFiles'
  | 'spawnVmm'
  | 'awaitVmm'
  | 'createVm'
  | 'bootVm'
  | 'awaitGuest'
  | 'pauseVm'
  | 'resumeVm'
  | 'saveVm'
  | 'releaseVm'
  | 'commitSnapshot'
  | 'restoreVm'
  | 'pressButton'
  | 'cutPower'
  | 'closeVmm'
  | 'terminateVmm'
  | 'killVmm'
  | 'lookAtVmm'
  | 'scheduleRestart'
  | 'removeFiles'
  | 'runCommand'

export interface Effect {
  /** version of the asking transition and number within it, `VERSION.N` */
  readonly id: string
  readonly type: EffectType
  readonly incarnation: number
}

export interface Timer {
  /** the machine's own name of the delay */
  readonly id: string
  /** in `ms since 1970` */
  readonly dueAt: number
}
