import { BoxError } from '../machines/index.ts'
import { ImageError } from '../vmm/index.ts'

/** What goes wrong with images, as callers are told it. */
export async function asBoxErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (BoxError.is(error)) throw error
    const message = error instanceof Error ? error.message : String(error)
    if (!(error instanceof ImageError)) throw new BoxError('ENGINE_FAILED', message, { cause: error })
    const { code, details } = error
    throw new BoxError(code === 'BOOT_FAILED' ? 'ENGINE_FAILED' : code, message, { details, cause: error })
  }
}
