import { contextOf } from './box/context.ts'
import { box } from './box/setup.ts'

/**
 * The life of a box, whole, as one literal that the Stately editor draws: legality lives here and nowhere else. An
 * invocation means "this effect runs while we are here"; a delay is a durable timer.
 */
export const boxMachine = box.createMachine({
  id: 'box',
  context: contextOf,
  initial: 'configured',
  on: {
    'vmm.spawned': { actions: 'recordProcess' },
    'vmm.adopted': { actions: 'recordProcess' },
    'guest.panicked': { actions: 'recordPanic' },
    'guest.rebooted': { actions: 'recordReboot' },
    'command.exited': { actions: 'recordCommandExit' },
    'health.changed': [{ guard: 'isOver' }, { actions: 'recordHealth' }],
    'vmm.exited': [
      { guard: 'isOver' },
      {
        guard: 'restartWanted',
        target: '.starting',
        actions: ['recordEnding', 'openIncarnation', 'forgetAttempts'],
      },
      { guard: 'goesAway', target: '.removing.deleting', actions: 'recordEnding' },
      { guard: 'endsStopped', target: '.stopped', actions: 'recordEnding' },
      { guard: 'endsFailed', target: '.failed', actions: 'recordEnding' },
      { target: '.crashed', actions: 'recordEnding' },
    ],
    'host.rebooted': [
      { guard: 'isOver' },
      {
        guard: 'restartWanted',
        target: '.starting',
        actions: ['recordEnding', 'openIncarnation', 'forgetAttempts'],
      },
      { guard: 'goesAway', target: '.removing.deleting', actions: 'recordEnding' },
      { guard: 'endsStopped', target: '.stopped', actions: 'recordEnding' },
      { guard: 'endsFailed', target: '.failed', actions: 'recordEnding' },
      { target: '.crashed', actions: 'recordEnding' },
    ],
    'box.unknown': [{ guard: 'isOver' }, { target: '.unknown', actions: 'recordUnknown' }],
    'snapshot.removal.requested': { guard: 'mayForget', actions: 'markSnapshot' },
    'snapshot.removal.failed': { actions: 'unmarkSnapshot' },
    'snapshot.removed': { actions: 'forgetSnapshot' },
    'incarnation.found': [
      { guard: 'mayLive', target: '.unknown', actions: 'openFound' },
      { actions: 'countIncarnation' },
    ],
  },
  states: {
    configured: {
      description: 'Recorded; no VMM was ever made',
      tags: 'down',
      on: {
        'box.renamed': { actions: 'rename' },
        'start.requested': {
          guard: 'startsAsMayBe',
          target: 'starting',
          actions: ['openIncarnation', 'forgetAttempts'],
        },
        'restart.requested': { target: 'starting', actions: ['openIncarnation', 'forgetAttempts'] },
        'remove.requested': { target: 'removing.deleting', actions: 'intendRemoval' },
      },
    },
    starting: {
      description: 'On its way up; the stage within says how far',
      tags: 'busy',
      initial: 'queued',
      on: {
        'box.renamed': { actions: 'rename' },
        'start.failed': { target: 'stopping.killing', actions: 'noteFailure' },
        'guest.powered-off': { target: 'stopping.closing', actions: 'recordPowerOff' },
        'stop.requested': [
          { guard: 'asksKill', target: 'stopping.killing', actions: 'intendStop' },
          { target: 'stopping.closing', actions: 'intendStop' },
        ],
        'remove.requested': { guard: 'isForced', target: 'removing.killing', actions: 'intendRemoval' },
      },
      states: {
        queued: {
          description: 'Waits for its turn: at most as many starts at once as the machine has cores',
          invoke: { id: 'queueStart', src: 'queueStart' },
          on: {
            'start.stage': { target: 'preparing' },
            'start.failed': [
              { guard: 'goesAway', target: '#box.removing.deleting', actions: 'recordEnding' },
              { target: '#box.failed', actions: 'recordEnding' },
            ],
            'stop.requested': [
              { guard: 'goesAway', target: '#box.removing.deleting', actions: 'recordEnding' },
              { target: '#box.stopped', actions: 'recordEnding' },
            ],
            'remove.requested': {
              guard: 'isForced',
              target: '#box.removing.deleting',
              actions: ['recordEnding', 'intendRemoval'],
            },
          },
        },
        preparing: {
          description: 'The image and the run directory are made ready',
          invoke: { id: 'prepareFiles', src: 'prepareFiles' },
          on: {
            'start.stage': { target: 'spawning', actions: 'beginWithTemplate' },
            'start.failed': [
              { guard: 'goesAway', target: '#box.removing.deleting', actions: 'recordEnding' },
              { target: '#box.failed', actions: 'recordEnding' },
            ],
            'stop.requested': [
              { guard: 'goesAway', target: '#box.removing.deleting', actions: 'recordEnding' },
              { target: '#box.stopped', actions: 'recordEnding' },
            ],
            'remove.requested': {
              guard: 'isForced',
              target: '#box.removing.deleting',
              actions: ['recordEnding', 'intendRemoval'],
            },
          },
        },
        spawning: {
          description: 'The VMM process is being made',
          invoke: { id: 'spawnVmm', src: 'spawnVmm' },
          on: {
            'vmm.spawned': { target: 'connecting', actions: 'recordProcess' },
            'start.failed': [
              { guard: 'goesAway', target: '#box.removing.deleting', actions: 'recordEnding' },
              { target: '#box.failed', actions: 'recordEnding' },
            ],
            'vmm.exited': [
              {
                guard: 'goesAway',
                target: '#box.removing.deleting',
                actions: ['noteNoStart', 'recordEnding'],
              },
              { target: '#box.failed', actions: ['noteNoStart', 'recordEnding'] },
            ],
          },
        },
        connecting: {
          description: "The VMM's socket is waited for",
          invoke: { id: 'awaitVmm', src: 'awaitVmm' },
          after: { vmmReadyLimit: { target: '#box.stopping.killing', actions: 'noteSilent' } },
          on: {
            'vmm.ready': [
              { guard: 'restores', target: 'restoring', actions: 'recordVersion' },
              { target: 'creating', actions: 'recordVersion' },
            ],
            'vmm.exited': [
              {
                guard: 'goesAway',
                target: '#box.removing.deleting',
                actions: ['noteNoStart', 'recordEnding'],
              },
              { target: '#box.failed', actions: ['noteNoStart', 'recordEnding'] },
            ],
          },
        },
        creating: {
          description: 'The VM is being described to the VMM',
          invoke: { id: 'createVm', src: 'createVm' },
          after: { createLimit: { target: '#box.stopping.killing', actions: 'noteSlowBoot' } },
          on: {
            'vm.created': { target: 'booting' },
            'vmm.exited': [
              {
                guard: 'goesAway',
                target: '#box.removing.deleting',
                actions: ['noteNoBoot', 'recordEnding'],
              },
              { target: '#box.failed', actions: ['noteNoBoot', 'recordEnding'] },
            ],
          },
        },
        booting: {
          description: 'The VM is being booted',
          invoke: { id: 'bootVm', src: 'bootVm' },
          after: { bootLimit: { target: '#box.stopping.killing', actions: 'noteSlowBoot' } },
          on: {
            'vm.booted': [
              { guard: 'readyAtBoot', target: '#box.running', actions: 'recordBoot' },
              { target: 'waiting', actions: 'recordBoot' },
            ],
            'vmm.exited': [
              {
                guard: 'goesAway',
                target: '#box.removing.deleting',
                actions: ['noteNoBoot', 'recordEnding'],
              },
              { target: '#box.failed', actions: ['noteNoBoot', 'recordEnding'] },
            ],
          },
        },
        restoring: {
          description: 'The VM is made of a snapshot, instead of a boot',
          invoke: { id: 'restoreVm', src: 'restoreVm' },
          after: {
            restoreLimit: [
              {
                guard: 'beganWarm',
                target: '#box.stopping.killing',
                actions: ['noteSlowRestore', 'intendBoot'],
              },
              { target: '#box.stopping.killing', actions: 'noteSlowRestore' },
            ],
          },
          on: {
            'start.failed': [
              { guard: 'beganWarm', target: '#box.stopping.killing', actions: ['noteFailure', 'intendBoot'] },
              { target: '#box.stopping.killing', actions: 'noteFailure' },
            ],
            'snapshot.restored': [
              { guard: 'guestWasReady', target: '#box.running', actions: ['recordBoot', 'recordGuestReady'] },
              { guard: 'needsNoGuest', target: '#box.running', actions: 'recordBoot' },
              { target: 'waiting', actions: 'recordBoot' },
            ],
            'vmm.exited': [
              {
                guard: 'beganWarm',
                target: '#box.starting',
                actions: ['noteNoBoot', 'recordEnding', 'intendBoot', 'openIncarnation', 'forgetAttempts'],
              },
              {
                guard: 'goesAway',
                target: '#box.removing.deleting',
                actions: ['noteNoBoot', 'recordEnding'],
              },
              { target: '#box.failed', actions: ['noteNoBoot', 'recordEnding'] },
            ],
          },
        },
        waiting: {
          description: 'The VM runs; the guest has not said that it is ready',
          invoke: { id: 'awaitGuest', src: 'awaitGuest' },
          after: {
            guestReadyLimit: [
              { guard: 'isStale', target: '#box.stopping.killing', actions: ['noteStale', 'intendBoot'] },
              { target: '#box.running' },
            ],
          },
          on: {
            'start.failed': [
              { guard: 'isStale', target: '#box.stopping.killing', actions: ['noteFailure', 'intendBoot'] },
              { target: '#box.stopping.killing', actions: 'noteFailure' },
            ],
            'guest.ready': { target: '#box.running', actions: 'recordGuestReady' },
            'vm.paused': [{ guard: 'isStale' }, { target: '#box.paused' }],
            'vmm.adopted': [
              { guard: 'vmPaused', target: '#box.paused', actions: 'recordProcess' },
              {
                guard: 'vmAbsent',
                target: '#box.stopping.closing',
                actions: ['recordProcess', 'recordPowerOff'],
              },
              { actions: 'recordProcess' },
            ],
            'guest.panicked': { target: '#box.stopping.cutting', actions: ['recordPanic', 'cutOffPanic'] },
            'guest.rebooted': [
              { guard: 'loops', target: '#box.stopping.cutting', actions: ['recordReboot', 'cutOffLoop'] },
              { actions: 'recordReboot' },
            ],
            'restart.requested': {
              target: '#box.stopping.pressing',
              actions: ['intendStop', 'intendRestart'],
            },
            'stop.requested': [
              { guard: 'asksKill', target: '#box.stopping.killing', actions: 'intendStop' },
              { guard: 'asksForce', target: '#box.stopping.cutting', actions: 'intendStop' },
              { target: '#box.stopping.pressing', actions: 'intendStop' },
            ],
            'vmm.exited': [
              {
                guard: 'goesAwayByItself',
                target: '#box.removing.deleting',
                actions: 'recordEnding',
              },
              { guard: 'endedByItself', target: '#box.stopped', actions: 'recordEnding' },
              {
                guard: 'isStale',
                target: '#box.starting',
                actions: ['noteGone', 'recordEnding', 'intendBoot', 'openIncarnation', 'forgetAttempts'],
              },
              { guard: 'goesAway', target: '#box.removing.deleting', actions: ['noteGone', 'recordEnding'] },
              { target: '#box.failed', actions: ['noteGone', 'recordEnding'] },
            ],
          },
        },
      },
    },
    running: {
      description: 'The VM runs',
      tags: 'up',
      initial: 'steady',
      on: {
        'box.renamed': { actions: 'rename' },
        'guest.panicked': { target: 'stopping.cutting', actions: ['recordPanic', 'cutOffPanic'] },
        'guest.rebooted': [
          { guard: 'loops', target: 'stopping.cutting', actions: ['recordReboot', 'cutOffLoop'] },
          { actions: 'recordReboot' },
        ],
        'guest.ready': { actions: 'recordGuestReady' },
        'guest.powered-off': { target: 'stopping.closing', actions: 'recordPowerOff' },
        'vm.paused': { target: 'paused' },
        'vmm.adopted': [
          { guard: 'vmPaused', target: 'paused', actions: 'recordProcess' },
          { guard: 'vmAbsent', target: 'stopping.closing', actions: ['recordProcess', 'recordPowerOff'] },
          { actions: 'recordProcess' },
        ],
        'stop.requested': [
          { guard: 'asksKill', target: 'stopping.killing', actions: 'intendStop' },
          { guard: 'asksForce', target: 'stopping.cutting', actions: 'intendStop' },
          { target: 'stopping.pressing', actions: 'intendStop' },
        ],
        'restart.requested': { target: 'stopping.pressing', actions: ['intendStop', 'intendRestart'] },
        'remove.requested': { guard: 'isForced', target: 'removing.killing', actions: 'intendRemoval' },
      },
      states: {
        steady: {
          description: 'Nothing is under way',
          on: {
            'pause.requested': { target: 'pausing' },
            'snapshot.requested': { guard: 'isNewSnapshot', target: 'saving', actions: 'intendSnapshot' },
          },
        },
        pausing: {
          description: 'A pause is under way',
          invoke: { id: 'pauseVm', src: 'pauseVm' },
          after: { pauseLimit: { target: 'steady' } },
          on: { 'pause.failed': { target: 'steady' } },
        },
        saving: {
          description: 'The VMM writes a snapshot; the VM stands still meanwhile',
          invoke: { id: 'saveVm', src: 'saveVm' },
          after: { saveLimit: { target: 'releasing', actions: 'abandonSnapshot' } },
          on: {
            'vm.paused': {},
            'vmm.adopted': [
              {
                guard: 'vmAbsent',
                target: '#box.stopping.closing',
                actions: ['recordProcess', 'recordPowerOff'],
              },
              { actions: 'recordProcess' },
            ],
            'snapshot.written': { target: 'releasing', actions: 'noteWritten' },
            'snapshot.failed': { target: 'releasing', actions: 'abandonSnapshot' },
          },
        },
        releasing: {
          description: 'The VM is to run again, whatever became of the snapshot',
          invoke: { id: 'releaseVm', src: 'releaseVm' },
          after: { releaseLimit: { target: '#box.unknown', actions: 'recordUnreleased' } },
          on: {
            'vm.paused': {},
            'vmm.adopted': [
              {
                guard: 'vmAbsent',
                target: '#box.stopping.closing',
                actions: ['recordProcess', 'recordPowerOff'],
              },
              { actions: 'recordProcess' },
            ],
            'vm.resumed': [
              { guard: 'isWritten', target: 'committing' },
              { target: 'steady', actions: 'dropSnapshot' },
            ],
            'resume.failed': [
              { guard: 'isWritten', target: '#box.paused.committing' },
              { target: '#box.paused', actions: 'dropSnapshot' },
            ],
          },
        },
        committing: {
          description: 'A snapshot that is written is made to last',
          invoke: { id: 'commitSnapshot', src: 'commitSnapshot' },
          on: {
            'vm.paused': { target: '#box.paused.committing' },
            'vmm.adopted': [
              { guard: 'vmPaused', target: '#box.paused.committing', actions: 'recordProcess' },
              {
                guard: 'vmAbsent',
                target: '#box.stopping.closing',
                actions: ['recordProcess', 'recordPowerOff'],
              },
              { actions: 'recordProcess' },
            ],
            'snapshot.committed': { target: 'steady', actions: 'keepSnapshot' },
            'snapshot.failed': { target: 'steady', actions: 'dropSnapshot' },
          },
        },
      },
    },
    paused: {
      description: "The VM's processors stand still",
      tags: 'up',
      initial: 'held',
      on: {
        'box.renamed': { actions: 'rename' },
        'guest.panicked': { target: 'stopping.cutting', actions: ['recordPanic', 'cutOffPanic'] },
        'guest.rebooted': [
          { guard: 'loops', target: 'stopping.cutting', actions: ['recordReboot', 'cutOffLoop'] },
          { actions: 'recordReboot' },
        ],
        'guest.powered-off': { target: 'stopping.closing', actions: 'recordPowerOff' },
        'vm.resumed': { target: 'running' },
        'vmm.adopted': [
          { guard: 'vmRuns', target: 'running', actions: 'recordProcess' },
          { guard: 'vmAbsent', target: 'stopping.closing', actions: ['recordProcess', 'recordPowerOff'] },
          { actions: 'recordProcess' },
        ],
        'stop.requested': [
          { guard: 'asksKill', target: 'stopping.killing', actions: 'intendStop' },
          { guard: 'asksForce', target: 'stopping.cutting', actions: 'intendStop' },
          { target: 'stopping.pressing', actions: 'intendStop' },
        ],
        'restart.requested': { target: 'stopping.pressing', actions: ['intendStop', 'intendRestart'] },
        'remove.requested': { guard: 'isForced', target: 'removing.killing', actions: 'intendRemoval' },
      },
      states: {
        held: {
          description: 'Nothing is under way',
          on: {
            'resume.requested': { target: 'resuming' },
            'snapshot.requested': { guard: 'isNewSnapshot', target: 'saving', actions: 'intendHeldSnapshot' },
          },
        },
        resuming: {
          description: 'A resume is under way',
          invoke: { id: 'resumeVm', src: 'resumeVm' },
          after: { pauseLimit: { target: 'held' } },
          on: { 'resume.failed': { target: 'held' } },
        },
        saving: {
          description: 'The VMM writes a snapshot',
          invoke: { id: 'saveHeldVm', src: 'saveVm' },
          after: { saveLimit: { target: 'held', actions: 'dropSnapshot' } },
          on: {
            'vm.resumed': { target: '#box.running', actions: 'dropSnapshot' },
            'vmm.adopted': [
              { guard: 'vmRuns', target: '#box.running', actions: ['recordProcess', 'dropSnapshot'] },
              {
                guard: 'vmAbsent',
                target: '#box.stopping.closing',
                actions: ['recordProcess', 'recordPowerOff'],
              },
              { actions: 'recordProcess' },
            ],
            'snapshot.written': { target: 'committing', actions: 'noteWritten' },
            'snapshot.failed': { target: 'held', actions: 'dropSnapshot' },
          },
        },
        committing: {
          description: 'A snapshot that is written is made to last',
          invoke: { id: 'commitHeldSnapshot', src: 'commitSnapshot' },
          on: {
            'vm.resumed': { target: '#box.running.committing' },
            'vmm.adopted': [
              { guard: 'vmRuns', target: '#box.running.committing', actions: 'recordProcess' },
              {
                guard: 'vmAbsent',
                target: '#box.stopping.closing',
                actions: ['recordProcess', 'recordPowerOff'],
              },
              { actions: 'recordProcess' },
            ],
            'snapshot.committed': { target: 'held', actions: 'keepSnapshot' },
            'snapshot.failed': { target: 'held', actions: 'dropSnapshot' },
          },
        },
      },
    },
    stopping: {
      description: 'On its way down, a rung of the ladder after the other',
      tags: 'busy',
      initial: 'pressing',
      on: {
        'box.renamed': { actions: 'rename' },
        'guest.powered-off': { actions: 'recordPowerOff' },
        'stop.requested': [
          { guard: 'asksStrongerKill', target: '.killing', actions: 'intendStrongerStop' },
          { guard: 'beatsRestart', actions: 'forgetRestart' },
          { guard: 'isUnasked', actions: 'intendStop' },
        ],
        'remove.requested': { guard: 'isForced', target: 'removing.killing', actions: 'intendRemoval' },
      },
      states: {
        pressing: {
          description: "The guest's power button was pressed",
          invoke: { id: 'pressButton', src: 'pressButton' },
          after: { halfGrace: { target: 'pressingAgain' } },
          on: {
            'stop.rung': { guard: 'rungFailed', target: 'cutting' },
            'guest.powered-off': { target: 'closing', actions: 'recordPowerOff' },
            'stop.requested': [
              { guard: 'asksStrongerKill', target: 'killing', actions: 'intendStrongerStop' },
              { guard: 'asksStrongerForce', target: 'cutting', actions: 'intendStrongerStop' },
              { guard: 'beatsRestart', actions: 'forgetRestart' },
              { guard: 'isUnasked', actions: 'intendStop' },
            ],
          },
        },
        pressingAgain: {
          description: "The guest's power button was pressed again, half of the grace being over",
          invoke: { id: 'pressButtonAgain', src: 'pressButton' },
          after: { halfGrace: { target: 'cutting' } },
          on: {
            'stop.rung': { guard: 'rungFailed', target: 'cutting' },
            'guest.powered-off': { target: 'closing', actions: 'recordPowerOff' },
            'stop.requested': [
              { guard: 'asksStrongerKill', target: 'killing', actions: 'intendStrongerStop' },
              { guard: 'asksStrongerForce', target: 'cutting', actions: 'intendStrongerStop' },
              { guard: 'beatsRestart', actions: 'forgetRestart' },
              { guard: 'isUnasked', actions: 'intendStop' },
            ],
          },
        },
        cutting: {
          description: 'The power of the VM is cut',
          invoke: { id: 'cutPower', src: 'cutPower' },
          after: { cutLimit: { target: 'closing' } },
          on: { 'stop.rung': { target: 'closing' } },
        },
        closing: {
          description: 'The VMM is asked to end',
          invoke: { id: 'closeVmm', src: 'closeVmm' },
          after: { closeLimit: { target: 'terminating' } },
          on: { 'stop.rung': { guard: 'rungFailed', target: 'terminating' } },
        },
        terminating: {
          description: 'The VMM was sent SIGTERM',
          invoke: { id: 'terminateVmm', src: 'terminateVmm' },
          after: { terminateLimit: { target: 'killing' } },
          on: { 'stop.rung': { guard: 'rungFailed', target: 'killing' } },
        },
        killing: {
          description: 'The VMM was sent SIGKILL',
          invoke: { id: 'killVmm', src: 'killVmm' },
          after: { killLimit: { target: '#box.unknown', actions: 'recordUnknown' } },
        },
      },
    },
    stopped: {
      description: 'Down in an orderly way',
      initial: 'resting',
      on: {
        'box.renamed': { actions: 'rename' },
        'start.requested': {
          guard: 'startsAsMayBe',
          target: 'starting',
          actions: ['openIncarnation', 'forgetAttempts'],
        },
        'restart.requested': { target: 'starting', actions: ['openIncarnation', 'forgetAttempts'] },
        'remove.requested': { guard: 'isForced', target: 'removing.deleting', actions: 'intendRemoval' },
      },
      states: {
        resting: {
          description: 'Stays so until somebody starts it',
          tags: 'down',
          always: { guard: 'restartIsDue', target: 'scheduling' },
          on: { 'remove.requested': { target: '#box.removing.deleting', actions: 'intendRemoval' } },
        },
        scheduling: {
          description: 'The restart policy starts it again: the wait before is being drawn',
          tags: 'busy',
          invoke: { id: 'scheduleRestart', src: 'scheduleRestart' },
          on: {
            'restart.scheduled': { target: 'waiting', actions: 'recordDelay' },
            'stop.requested': [
              { guard: 'removesItself', target: '#box.removing.deleting', actions: 'giveUpRestart' },
              { target: 'resting', actions: 'giveUpRestart' },
            ],
          },
        },
        waiting: {
          description: 'The restart policy starts it again when the wait is over',
          tags: 'busy',
          after: { restartDelay: { target: '#box.starting', actions: ['openIncarnation', 'countRestart'] } },
          on: {
            'stop.requested': [
              { guard: 'removesItself', target: '#box.removing.deleting', actions: 'giveUpRestart' },
              { target: 'resting', actions: 'giveUpRestart' },
            ],
          },
        },
      },
    },
    crashed: {
      description: "Down against everybody's wish",
      initial: 'resting',
      on: {
        'box.renamed': { actions: 'rename' },
        'start.requested': {
          guard: 'startsAsMayBe',
          target: 'starting',
          actions: ['openIncarnation', 'forgetAttempts'],
        },
        'restart.requested': { target: 'starting', actions: ['openIncarnation', 'forgetAttempts'] },
        'remove.requested': { guard: 'isForced', target: 'removing.deleting', actions: 'intendRemoval' },
      },
      states: {
        resting: {
          description: 'Stays so until somebody starts it',
          tags: 'down',
          always: { guard: 'restartIsDue', target: 'scheduling' },
          on: { 'remove.requested': { target: '#box.removing.deleting', actions: 'intendRemoval' } },
        },
        scheduling: {
          description: 'The restart policy starts it again: the wait before is being drawn',
          tags: 'busy',
          invoke: { id: 'scheduleRestart', src: 'scheduleRestart' },
          on: {
            'restart.scheduled': { target: 'waiting', actions: 'recordDelay' },
            'stop.requested': [
              { guard: 'removesItself', target: '#box.removing.deleting', actions: 'giveUpRestart' },
              { target: 'resting', actions: 'giveUpRestart' },
            ],
          },
        },
        waiting: {
          description: 'The restart policy starts it again when the wait is over',
          tags: 'busy',
          after: { restartDelay: { target: '#box.starting', actions: ['openIncarnation', 'countRestart'] } },
          on: {
            'stop.requested': [
              { guard: 'removesItself', target: '#box.removing.deleting', actions: 'giveUpRestart' },
              { target: 'resting', actions: 'giveUpRestart' },
            ],
          },
        },
      },
    },
    failed: {
      description: 'Did not come up',
      initial: 'resting',
      on: {
        'box.renamed': { actions: 'rename' },
        'start.requested': {
          guard: 'startsAsMayBe',
          target: 'starting',
          actions: ['openIncarnation', 'forgetAttempts'],
        },
        'restart.requested': { target: 'starting', actions: ['openIncarnation', 'forgetAttempts'] },
        'remove.requested': { guard: 'isForced', target: 'removing.deleting', actions: 'intendRemoval' },
      },
      states: {
        resting: {
          description: 'Stays so until somebody starts it',
          tags: 'down',
          always: { guard: 'restartIsDue', target: 'scheduling' },
          on: { 'remove.requested': { target: '#box.removing.deleting', actions: 'intendRemoval' } },
        },
        scheduling: {
          description: 'The restart policy starts it again: the wait before is being drawn',
          tags: 'busy',
          invoke: { id: 'scheduleRestart', src: 'scheduleRestart' },
          on: {
            'restart.scheduled': { target: 'waiting', actions: 'recordDelay' },
            'stop.requested': [
              { guard: 'removesItself', target: '#box.removing.deleting', actions: 'giveUpRestart' },
              { target: 'resting', actions: 'giveUpRestart' },
            ],
          },
        },
        waiting: {
          description: 'The restart policy starts it again when the wait is over',
          tags: 'busy',
          after: { restartDelay: { target: '#box.starting', actions: ['openIncarnation', 'countRestart'] } },
          on: {
            'stop.requested': [
              { guard: 'removesItself', target: '#box.removing.deleting', actions: 'giveUpRestart' },
              { target: 'resting', actions: 'giveUpRestart' },
            ],
          },
        },
      },
    },
    removing: {
      description: 'On its way out; cannot be called back',
      tags: 'busy',
      initial: 'deleting',
      states: {
        killing: {
          description: 'The VMM was sent SIGKILL, to be removed',
          invoke: { id: 'killVmmToRemove', src: 'killVmm' },
          after: { killLimit: { target: 'killing', reenter: true } },
        },
        deleting: {
          description: "The box's files are being deleted",
          invoke: { id: 'removeFiles', src: 'removeFiles' },
          on: {
            'box.removed': { target: '#box.removed', actions: 'forgetSnapshots' },
            'remove.failed': { target: 'resting' },
          },
        },
        resting: {
          description: 'The files could not be deleted; it is tried again',
          after: { removeRetry: { target: 'deleting' } },
        },
      },
    },
    removed: {
      description: 'Gone; its history stays',
      tags: 'gone',
    },
    unknown: {
      description: 'Cannot be looked at: nothing is spawned, killed or deleted',
      tags: 'busy',
      invoke: { id: 'lookAtVmm', src: 'lookAtVmm' },
      on: {
        'box.renamed': { actions: 'rename' },
        'guest.powered-off': { actions: 'recordPowerOff' },
        'stop.requested': { guard: 'isForOwner', actions: 'intendStop' },
        'vmm.adopted': [
          { guard: 'isRemoving', target: 'removing.killing', actions: ['recordProcess', 'recordKnown'] },
          { guard: 'isStopping', target: 'stopping.closing', actions: ['recordProcess', 'recordKnown'] },
          {
            guard: 'restoreCutOff',
            target: 'stopping.killing',
            actions: ['recordProcess', 'recordKnown', 'noteLostStart'],
          },
          {
            guard: 'isStale',
            target: 'stopping.killing',
            actions: ['recordProcess', 'recordKnown', 'noteLostStart', 'intendBoot'],
          },
          {
            guard: 'isHeld',
            target: 'running.releasing',
            actions: ['recordProcess', 'recordKnown', 'abandonSnapshot'],
          },
          { guard: 'vmRuns', target: 'running', actions: ['recordProcess', 'recordKnown', 'dropSnapshot'] },
          { guard: 'vmPaused', target: 'paused', actions: ['recordProcess', 'recordKnown', 'dropSnapshot'] },
          {
            guard: 'neverRan',
            target: 'stopping.killing',
            actions: ['recordProcess', 'recordKnown', 'noteLostStart'],
          },
          { target: 'stopping.closing', actions: ['recordProcess', 'recordKnown', 'recordPowerOff'] },
        ],
        'box.resolved': [
          {
            guard: 'restartWanted',
            target: 'starting',
            actions: ['recordEnding', 'openIncarnation', 'forgetAttempts'],
          },
          { guard: 'goesAway', target: 'removing.deleting', actions: 'recordEnding' },
          { guard: 'stopWanted', target: 'stopped', actions: 'recordEnding' },
          { target: 'crashed', actions: 'recordEnding' },
        ],
      },
    },
  },
})
