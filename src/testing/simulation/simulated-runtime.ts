import type { CommandOptions } from '../../api/box.ts'
import { EmbeddedRuntime } from '../../api/embedded/runtime.ts'
import type { BoxOptions } from '../../api/options.ts'
import { BoxError } from '../../machines/index.ts'

/** The embedded runtime, without what would write to files beside the ledger: a simulation has none. */
export class SimulatedRuntime extends EmbeddedRuntime {
  override async create(options: BoxOptions = {}, c: CommandOptions = {}) {
    refuseSecrets(options)
    return super.create(options, c)
  }

  override async getOrCreate(options: BoxOptions & { name: string }, c: CommandOptions = {}) {
    refuseSecrets(options)
    return super.getOrCreate(options, c)
  }

  override async archive(): Promise<never> {
    throw unsupported('archive')
  }

  override async compact(): Promise<never> {
    throw unsupported('compact')
  }
}

function refuseSecrets({ secrets }: BoxOptions): void {
  if (secrets !== undefined) throw unsupported('secrets')
}

function unsupported(what: string): BoxError {
  return new BoxError('UNSUPPORTED', `A simulation has no files, and so no ${what}`)
}
