import type { StreamEvent } from './step.ts'

/**
 * Each thing that an owner does to the disk, to a VMM or to the host, by name, with what it is for. A crash can come
 * before and after it: those are the crash points, and there are no others. What is written beside a home, such as the
 * cache of probes, is not among them.
 */
const opening = [
  ['locking the home', 'the kernel gives the home to one owner'],
  ['opening the database', 'LevelDB reads its files, and writes some anew'],
  ['mending a head', 'a head that is damaged is folded anew, and stored'],
  ['entering the owner', 'the journal beside the chain gets the new epoch'],
  ['syncing the tail file', 'where the ledger ends is noted beside it'],
  ['settling the home', 'the directory is noted as the home: of a new ledger, and of a copy that is adopted'],
  ['making the ballast', 'a file that takes up room, for the day when the disk is full'],
  ['settling a draft', 'secrets of a box that was being made are kept, or deleted'],
  ['removing an image that was left', 'by an adding or a removal that was cut off'],
  ['looking at a box', 'the host is asked what became of a VMM of an earlier owner'],
  ['going on with a box', 'timers and effects of an earlier owner are taken up'],
] as const

/** One transition each, durable with its head, its name, its effects and its timers. */
const appended = [
  ...(['box.created', 'box.renamed', 'box.resolved', 'start.requested', 'stop.requested'] as const),
  ...(['restart.requested', 'pause.requested', 'resume.requested', 'remove.requested'] as const),
  ...(['start.stage', 'vmm.spawned', 'vmm.ready', 'vm.created', 'vm.booted', 'guest.ready'] as const),
  ...(['start.failed', 'vm.paused', 'pause.failed', 'vm.resumed', 'resume.failed', 'stop.rung'] as const),
  ...(['guest.rebooted', 'guest.panicked', 'guest.powered-off', 'command.exited', 'vmm.exited'] as const),
  ...(['restart.scheduled', 'timer.fired', 'vmm.adopted', 'host.rebooted', 'box.unknown'] as const),
  ...(['incarnation.found', 'remove.failed', 'box.removed', 'health.changed'] as const),
  ...(['snapshot.requested', 'snapshot.written', 'snapshot.committed', 'snapshot.failed'] as const),
  ...(['snapshot.restored', 'snapshot.removal.requested', 'snapshot.removed'] as const),
  ...(['snapshot.removal.failed', 'exec.started', 'exec.ended', 'exec.lost'] as const),
] as const satisfies readonly StreamEvent['type'][]

const working = [
  ['drafting secrets', 'a file that the box does not have yet'],
  ['keeping secrets', 'the draft gets its name, the box being recorded'],
  ['dropping secrets', 'the draft is deleted, the box being refused'],
  ['staging an image', 'its files are copied, under another name'],
  ['naming an image', 'the image gets its name'],
  ['unnaming an image', 'which nobody uses: its name is free'],
  ['deleting an image', 'and its files go'],
  [
    'staging a template',
    'the files of a snapshot get other names, and the image is written down beside them',
  ],
  ['naming a template', 'the template gets its name, and its place, durably'],
  ['setting a template aside', 'one that is replaced, or whose image goes, is used no more'],
  ['deleting a template', 'and its files go'],
  ['removing an old run directory', 'those of the last incarnations are kept'],
  ['copying a disk', 'of an image, as a draft, for a box that starts for the first time'],
  ['naming a disk', 'the draft gets its name'],
  ['staging a disk', 'a copy of that of a snapshot, beside the one that the box has'],
  ['taking disks', "what was staged is the box's from now on"],
  ['replacing a disk', 'and gets the name of the old one, which goes'],
  ['removing staged disks', 'of a start that came to nothing'],
  ['making the run directory', 'of this incarnation only'],
  ['taking the life lock', 'a file that the VMM will hold locked while it lives'],
  ['removing the life lock', 'no VMM has come to hold it'],
  ['spawn', 'the VMM is forked'],
  ['writing the initramfs', "a draft with the box's command and its secrets"],
  ['naming the initramfs', 'the draft gets its name'],
  ['vm.create', 'a call to the VMM, as all with such names'],
  ['vm.boot', 'the VM begins to run'],
  ['vm.pause', 'its processors stand still'],
  ['vm.resume', 'they run again; also before the button is pressed'],
  ['removing a staged snapshot', 'of one that was cut off, or has failed'],
  ['staging a snapshot', 'a directory that the VMM is to fill'],
  ['vm.snapshot', "the VM's memory and state are written there"],
  ['saving a disk', 'a copy of one that the box has for itself, while the VM stands still'],
  ['describing a snapshot', 'its files are synced, and their sizes and hashes written down beside them'],
  ['naming a snapshot', 'the staged directory gets its name, and its place, durably'],
  ['linking a snapshot', 'its files come into the run directory, with a configuration of their own'],
  ['vm.restore', 'a VM is made of them'],
  ['setting a snapshot aside', 'one that is to be deleted loses its name'],
  ['deleting a snapshot', 'its files go'],
  ['vm.power-button', 'the first rung of the stop ladder, and at half of the grace once more'],
  ['vm.shutdown', 'the power is cut: the second'],
  ['vmm.shutdown', 'the VMM is asked to end: the third'],
  ['SIGTERM', 'the fourth'],
  ['SIGKILL', 'the last; and the only one of a kill'],
  ["keeping a file's end", 'of a file that has grown too long, as a draft'],
  ['naming the kept end', 'the draft gets its name'],
  ['renaming the kept end', 'the file turned out to be one that is appended to'],
  ['forgetting an older end', 'there is a newer one, or the file has begun anew'],
  ['cutting a file', 'what is too long of it goes'],
  ['running a command', "the agent in a guest is told to; not of the box's main command"],
  ['checking a box', 'its guest, or its VMM, is asked whether it is well; only a change is recorded'],
  ['removing the secrets', 'of a box that is being removed'],
  ['removing the files', 'all that is left of it'],
] as const

const resting = [
  ['keeping acknowledgements', 'how far readers have come, beside the chain'],
  ['reopening the database', 'a write was rejected: what is there is looked at anew'],
  ['removing a leftover', 'of an archiving that was cut off'],
  ['writing the segment', 'bodies of removed boxes go to a new file'],
  ['syncing the segment', 'the file is on the disk'],
  ['naming the segment', 'it gets its name'],
  ['syncing the archive', 'the name is on the disk'],
  ['moving the bodies', 'references take the places of the bodies, in one batch'],
  ['compacting', 'a part of the database is written anew'],
  ['noting the compaction', 'in the journal beside the chain'],
  ['leaving the owner', 'the journal says that the owner has closed the home'],
  ['freeing the home', 'the lock is given up'],
] as const

type Appended = `append ${(typeof appended)[number]}`
type Worked = (typeof opening | typeof working | typeof resting)[number][0]

/** A thing that a crash can come before and after. */
export type CrashStep = Appended | Worked
export type CrashPoint = `before ${CrashStep}` | `after ${CrashStep}`

/** Is told that the engine has come to a crash point; for tests that end it there. */
export type Boundary = (point: CrashPoint) => void

/** For those whom nobody means to end. */
export const noBoundary: Boundary = () => {}

export interface DescribedStep {
  readonly step: CrashStep
  /** what is done, for people */
  readonly what: string
}

const described = ([step, what]: readonly [CrashStep, string]): DescribedStep => ({ step, what })

/** All of them, in about the order of a life. */
export const crashSteps: readonly DescribedStep[] = [
  ...opening.map(described),
  ...appended.map(type => described([`append ${type}`, `\`${type}\` becomes durable`])),
  ...working.map(described),
  ...resting.map(described),
]

/** Their numbers are their places in this list, from 1. */
export const crashPoints: readonly CrashPoint[] = crashSteps.flatMap(({ step }): CrashPoint[] => [
  `before ${step}`,
  `after ${step}`,
])
