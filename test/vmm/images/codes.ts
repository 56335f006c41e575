import { ImageError, type ImageErrorCode } from '../../../src/vmm/images/image-error.ts'

/** The error something ends with; anything but an ImageError fails the test. */
export async function imageError(work: () => unknown): Promise<ImageError> {
  try {
    await work()
  } catch (error) {
    if (error instanceof ImageError) return error
    throw error
  }
  throw new Error('It was not refused.')
}

export async function codeOf(work: () => unknown): Promise<ImageErrorCode> {
  return (await imageError(work)).code
}
