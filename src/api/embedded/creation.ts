import { isDeepStrictEqual } from 'node:util'
import { type Engine, hasSecrets, lifecycle } from '../../engine/index.ts'
import { BoxError, type Head } from '../../machines/index.ts'
import type { CommandOptions } from '../box.ts'
import type { NewBox } from '../new-box.ts'
import { EmbeddedBox } from './box.ts'
import { withItsImage } from './its-image.ts'

export async function createBox(engine: Engine, wanted: NewBox, c: CommandOptions): Promise<EmbeddedBox> {
  const known = await withItsImage(engine.home, wanted)
  return boxOf(engine, await lifecycle.create(engine, known, c))
}

/** The box of that name, or a new one; of two who make it at once, one makes it and both get it. */
export async function getOrCreateBox(engine: Engine, name: string, wanted: NewBox, c: CommandOptions) {
  for (;;) {
    const head = engine.projections.byName(name)
    if (head !== undefined) {
      // The same command again, its answer lost: the same answer.
      const own = c.commandId && (await engine.ledger.command(c.commandId))?.box === head.box
      if (own) return { box: boxOf(engine, head), created: true, differs: [] }
      const differs = differences(wanted, head)
      if (wanted.secrets && !(await hasSecrets(engine.home, head.box, wanted.secrets)))
        differs.push('secrets')
      return { box: boxOf(engine, head), created: false, differs }
    }
    try {
      return { box: await createBox(engine, wanted, c), created: true, differs: [] }
    } catch (error) {
      const rival = engine.ledger.claimant(name)
      if (!BoxError.is(error, 'NAME_TAKEN') || rival === undefined) throw error
      await engine.submit(rival, () => undefined)
    }
  }
}

function boxOf(engine: Engine, head: Head): EmbeddedBox {
  return new EmbeddedBox(engine, head.box)
}

/** Names of the options that were given and are not as the box has them. */
function differences(wanted: NewBox, head: Head): string[] {
  const { spec, labels } = head.state.context
  const has: Record<string, unknown> = { ...spec, labels }
  const wants: Record<string, unknown> = { ...wanted.spec, labels: wanted.labels }
  return Object.entries(wanted.given)
    .filter(
      ([key, value]) => key !== 'name' && value !== undefined && !isDeepStrictEqual(wants[key], has[key]),
    )
    .map(([key]) => key)
}
