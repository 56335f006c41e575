import { images } from '../../engine/index.ts'
import { assertHealthFits, type NewBox } from '../new-box.ts'

/**
 * Notes in the spec what depends on a named image and has to be known for as long as the box lives: when it is ready, and
 * whether commands can be run in it. An image that is not there yet is taken to have an agent; a start looks again.
 */
export async function withItsImage(home: string, box: NewBox): Promise<NewBox> {
  const { image } = box.spec
  if (typeof image !== 'string' || (await images.hasAgentIn(home, image)) !== false) return box
  const spec = { ...box.spec, agent: false }
  assertHealthFits(spec)
  return { ...box, spec }
}
