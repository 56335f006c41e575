export { type Asker, type Explanation, explain, type Held, type PendingTimer } from './explain.ts'
export { type ForkEvent, type ForkResult, type ForkStep, fork } from './fork.ts'
export { diff, stateAt } from './state-at.ts'
export { why } from './why.ts'
