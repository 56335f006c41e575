/** What must hold whatever happens. */
export const invariants = {
  'one-vmm': 'never two live VMMs for a box, and no incarnation twice',
  'intent-first': 'no effect before the record that asks for it is durable, and none out of `unknown`',
  durable: 'what was told, or answered, is there after every crash',
  order: 'positions and versions are dense, incarnations only grow, a removed box stays removed',
  names: 'a name means one living box, and no ID is used twice',
  'stop-wins': 'after an accepted stop no policy starts the box',
  'said-once': 'what a guest or VMM said is recorded once',
  'command-once': 'a command ID is carried out once',
  answered: 'every caller gets an answer',
  agreement: 'what the engine says of a box is so, or becomes so within minutes',
  'nothing-left': 'a removed box leaves no VMM and no file, and `autoRemove` removes',
  'second-recovery': 'a second recovery in a quiet world records nothing',
  sound: 'the ledger verifies, and folds from zero to its heads',
  rule: "the caller's own",
} as const

export type InvariantName = keyof typeof invariants

export interface Violation {
  readonly invariant: InvariantName
  /** since the beginning, in `ms` */
  readonly at: number
  readonly box?: string
  readonly message: string
}
