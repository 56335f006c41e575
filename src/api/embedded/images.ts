import {
  closedError,
  type Engine,
  type ImageInfo,
  images,
  type TemplateInfo,
  templates,
  whileWanted,
} from '../../engine/index.ts'
import type { ImageSpec } from '../../machines/index.ts'
import {
  type AddImageOptions,
  checkImageName,
  checkNewImage,
  checkTemplate,
  checkTemplatesOf,
  type Images,
  type RootImageSpec,
  type TemplateOptions,
} from '../images.ts'
import { check, shapes } from '../options.ts'

/** The images of a home that this process owns. */
export class EmbeddedImages implements Images {
  readonly #engine: Engine
  readonly #closing = new AbortController()
  readonly #underway = new Set<Promise<unknown>>()
  /** templates that are being made: who wants the same waits for it */
  readonly #templates = new Map<string, Promise<TemplateInfo>>()

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

  async template(name: string, o: TemplateOptions = {}): Promise<TemplateInfo> {
    this.#assertOpen()
    const { name: image, size, signal } = checkTemplate(name, o)
    const key = `${image} ${size.cpus} ${size.memoryMib}`
    const make = () => templates.make(this.#engine, image, size, this.#closing.signal)
    return await whileWanted(signal, () => {
      const making =
        this.#templates.get(key) ?? this.#follow(make()).finally(() => this.#templates.delete(key))
      this.#templates.set(key, making)
      return making
    })
  }

  async removeTemplates(name: string): Promise<void> {
    this.#assertOpen()
    await templates.removeAll(this.#engine, checkTemplatesOf(name))
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
    await this.#follow(images.add(this.#engine, name, spec, { request, signal }))
  }

  /** Closing waits for it, and is what it ends by then. */
  async #follow<T>(work: Promise<T>): Promise<T> {
    this.#underway.add(work)
    try {
      return await work
    } catch (error) {
      throw this.#closing.signal.aborted ? closedError() : error
    } finally {
      this.#underway.delete(work)
    }
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted || this.#engine.isClosed) throw closedError()
  }
}
