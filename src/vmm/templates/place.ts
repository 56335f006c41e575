/**
 * Templates of a home's images, one for each size of box. A directory each, which appears by one rename, after everything
 * in it has been synced, and leaves by one:
 *
 *     images/.templates/IMAGE/CPUSxMIB/{template.json, state.json, memory-ranges}
 *     images/.templates/.making-XXXXXX/     one that is being made, or the remains of that
 *     images/.templates/.removing-XXXXXX/   the same of those that are being removed
 *
 * IMAGE is the name of an image, which is where nothing else begins with a dot; that of the built-in one is `builtin`.
 */
import { join } from 'node:path'

/** What a template has to have in common with the box that begins with it. */
export interface TemplateSize {
  readonly cpus: number
  readonly memoryMib: number
}

export const making = '.making-'
export const removing = '.removing-'

/** Directory of all templates of a home. */
export function templatesDir(home: string): string {
  return join(home, 'images', '.templates')
}

/** Directory of an image's templates. */
export function templatesOf(home: string, image: string): string {
  return join(templatesDir(home), image)
}

export function templateDir(home: string, image: string, { cpus, memoryMib }: TemplateSize): string {
  return join(templatesOf(home, image), `${cpus}x${memoryMib}`)
}

/** Undefined for the name of what is no template. */
export function sizeOf(name: string): TemplateSize | undefined {
  const [, cpus, memoryMib] = /^([1-9]\d{0,8})x([1-9]\d{0,8})$/.exec(name) ?? []
  return cpus === undefined ? undefined : { cpus: Number(cpus), memoryMib: Number(memoryMib) }
}
