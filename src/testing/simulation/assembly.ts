import { engineName } from '../../api/version.ts'
import type { EngineOptions } from '../../engine/index.ts'
import type { Hands } from '../../vmm/index.ts'
import type { SimulatedDisk } from '../disk/simulated-disk.ts'
import { scriptedHands } from '../driver/scripted-driver.ts'
import type { SimulatedHost } from '../host/simulated-host.ts'
import type { Random } from '../random.ts'
import type { Behaviours } from './behaviours.ts'
import type { Life } from './life.ts'
import type { Monitor } from './monitor.ts'
import type { SimulationOptions } from './options.ts'

/** What outlives engines in a simulation. */
export interface Surroundings {
  readonly options: SimulationOptions
  readonly host: SimulatedHost
  readonly disk: SimulatedDisk
  readonly random: Random
  readonly monitor: Monitor
  readonly behaviours: Behaviours
}

/** The real engine, with everything that is not pure taken from the simulation. */
export function engineOptionsOf(life: Life, surroundings: Surroundings): EngineOptions {
  const { options, disk, host, random } = surroundings
  const { startConcurrency = 4, step, boundary, hands } = options
  const own = handsOf(life, surroundings)
  return {
    home: '/simulated',
    engine: engineName,
    vmm: { env: {} },
    startConcurrency,
    medium: disk.mediumOf(life),
    aroundFlush: disk.aroundFlush(life),
    hands: hands?.(own) ?? own,
    world: {
      clock: life.clock,
      boxId: () => Array.from({ length: 12 }, () => random.below(36).toString(36)).join(''),
      random: () => random.next(),
      bootId: host.bootId,
      cores: startConcurrency,
    },
    ...(step === undefined ? {} : { step }),
    ...(boundary === undefined ? {} : { boundary: name => life.isOver || boundary(name) }),
  }
}

function handsOf(life: Life, { options, host, monitor, behaviours }: Surroundings): Hands {
  const { noticeMs = () => 5 } = options
  return scriptedHands({
    life,
    host,
    noticeMs,
    behaviourOf: start => behaviours.of(start),
    onEffect: (box, effect) => monitor.effect(box, effect),
    removeFiles: async box => {
      monitor.removal(box)
      const { ms = 1, outcome = 'done' } = behaviours.callOf(box, 'remove')
      await new Promise<void>(resolve => life.clock.setTimeout(resolve, ms))
      if (outcome !== 'done') throw new Error('The files could not be removed, by the script')
      host.removeFiles(box)
      behaviours.forget(box)
    },
  })
}
