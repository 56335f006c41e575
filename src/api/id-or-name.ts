import { BoxError } from '../machines/index.ts'

/** Throws `INVALID_ARGUMENT` for what is no string; a string that can be neither ID nor name is not found, no more. */
export function checkIdOrName(idOrName: unknown): void {
  if (typeof idOrName !== 'string')
    throw new BoxError('INVALID_ARGUMENT', 'An ID or a name is a string', { details: { field: 'idOrName' } })
}

export function checkVerdict(verdict: unknown): void {
  if (verdict !== 'dead')
    throw new BoxError('INVALID_ARGUMENT', "verdict must be 'dead'", { details: { field: 'verdict' } })
}
