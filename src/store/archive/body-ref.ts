/** Where a body went: what stands in the place of its text, `@SEGMENT:OFFSET:LENGTH`. */
export interface BodyRef {
  readonly segment: number
  /** in `bytes` */
  readonly offset: number
  /** in `bytes`, without the end of line */
  readonly length: number
}

const pattern = /^@(\d{1,9}):(\d{1,15}):(\d{1,9})$/

/** No body begins so: they are JSON. */
export function encodeRef({ segment, offset, length }: BodyRef): string {
  return `@${segment}:${offset}:${length}`
}

/** Undefined for anything else, such as a body that is there. */
export function decodeRef(stored: string | undefined): BodyRef | undefined {
  const [, segment, offset, length] = (stored?.startsWith('@') && pattern.exec(stored)) || []
  if (segment === undefined) return undefined
  return { segment: Number(segment), offset: Number(offset), length: Number(length) }
}
