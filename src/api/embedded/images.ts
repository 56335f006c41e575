import { closedError, type Engine, type ImageInfo, images, whileWanted } from '../../engine/index.ts'
import type { ImageSpec } from '../../machines/index.ts'
import {
  type AddImageOptions,
  checkImageName,
  checkNewImage,
  type Images,
  type RootImageSpec,
} from '../images.ts'
import { check, shapes } from '../options.ts'

/** The images of a home that this process owns. */
export class EmbeddedImages implements Images {
  readonly #engine: Engine
  readonly #closing = new AbortController()
  readonly #underway = new Set<Promise<unknown>>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  async list(): Promise<ImageInfo[]> {
    this.#assertOpen()
    return images.list(this.#engine)
  }

  add(name: string, image: ImageSpec | RootImageSpec, o: AddImageOptions = {}): Promise<void> {
    return this.addFor(undefined, name, image, o)
  }

  /** The same request again, its answer having been lost, finds its work done. */
  async addFor(
    request: string | undefined,
    name: string,
    image: ImageSpec | RootImageSpec,
    o: AddImageOptions = {},
  ): Promise<void> {
    this.#assertOpen()
    const given = checkImageName(name)
    const spec = checkNewImage(image)
    const { signal } = check(shapes.wait, o, 'options')
    await whileWanted(signal, () => this.#add(request, given, spec, signal))
  }

  async remove(name: string): Promise<void> {
    this.#assertOpen()
    await images.remove(this.#engine, checkImageName(name))
  }

  /** Gives up what is being added, and leaves nothing of it. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#underway)
  }

  async #add(
    request: string | undefined,
    name: string,
    spec: ImageSpec | RootImageSpec,
    wanted: AbortSignal | undefined,
  ) {
    const closing = this.#closing.signal
    const signal = wanted === undefined ? closing : AbortSignal.any([closing, wanted])
    const adding = images.add(this.#engine, name, spec, { request, signal })
    this.#underway.add(adding)
    try {
      await adding
    } catch (error) {
      throw closing.aborted ? closedError() : error
    } finally {
      this.#underway.delete(adding)
    }
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted || this.#engine.isClosed) throw closedError()
  }
}
