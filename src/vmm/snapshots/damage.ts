import { BoxError, type SnapshotPlace } from '../../machines/index.ts'

/** `NOT_FOUND` */
export function missing({ box, name }: SnapshotPlace): BoxError {
  return new BoxError('NOT_FOUND', `There is no snapshot ${name} of box ${box} on the disk`, {
    details: { box, snapshot: name },
  })
}

/** `SNAPSHOT_CORRUPT` */
export function corrupt({ box, name }: SnapshotPlace, what: string, cause?: unknown): BoxError {
  return new BoxError('SNAPSHOT_CORRUPT', `Snapshot ${name} of box ${box} is damaged: ${what}`, {
    details: { box, snapshot: name },
    cause,
  })
}
