import { type Discovery, discover } from '../discovery/discover.ts'
import { type Guest, hasOwnKernel, resolveGuest } from '../image.ts'
import type { Incarnation } from './incarnation.ts'

/** What a box boots; found once. Throws ImageError. */
export async function guestFor(box: Incarnation, signal: AbortSignal): Promise<Guest> {
  const { home, box: id, onProgress } = box.input
  const { spec, name } = box.context
  box.guest ??= await resolveGuest({ home, box: id, name: name ?? id, spec, onProgress, signal })
  return box.guest
}

/** The VMM program for a box's kind of guest; found once. Throws BoxError VMM_NOT_FOUND, or ImageError. */
export async function programFor(box: Incarnation, signal: AbortSignal): Promise<Discovery> {
  if (box.program) return box.program
  const { vmm, home } = box.input
  const bringsKernel = await hasOwnKernel(home, box.context.spec)
  box.program = await discover({
    ...vmm,
    home,
    signal,
    guest: bringsKernel ? 'tiny' : 'linux',
    // The probe for Linux is the very guest that is to run; none is made before it is known that a VMM may be had.
    linux: async () => await guestFor(box, signal),
  })
  await guestFor(box, signal)
  return box.program
}
