import { randomUUID } from 'node:crypto'
import type { ImageInfo, TemplateInfo } from '../../engine/index.ts'
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
import { shapes } from '../options.ts'
import { part } from './arguments.ts'

/** Asks the owner for a verb. */
export type Ask = <T>(verb: string, args: readonly unknown[], signal?: AbortSignal) => Promise<T>

/** The images of a home through its owner's socket: the owner reads the files, whoever asks names them. */
export class RemoteImages implements Images {
  readonly #ask: Ask

  constructor(ask: Ask) {
    this.#ask = ask
  }

  list(): Promise<ImageInfo[]> {
    return this.#ask('listImages', [])
  }

  async add(name: string, image: ImageSpec | RootImageSpec, o: AddImageOptions = {}): Promise<void> {
    const given = checkImageName(name)
    const spec = checkNewImage(image)
    const { signal } = part(shapes.wait, o, 'options')
    await this.#ask('addImage', [randomUUID(), given, spec], signal)
  }

  async template(name: string, o: TemplateOptions = {}): Promise<TemplateInfo> {
    const { name: given, size, signal } = checkTemplate(name, o)
    return await this.#ask('templateImage', [given, size], signal)
  }

  async removeTemplates(name: string): Promise<void> {
    await this.#ask('removeTemplates', [checkTemplatesOf(name)])
  }

  async remove(name: string): Promise<void> {
    await this.#ask('removeImage', [checkImageName(name)])
  }
}
