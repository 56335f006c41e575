import { plain } from './plain.ts'

/** Attributes; `undefined` and `false` are none, `true` is an empty one. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>
export type Child = Node | string | undefined

/** An element. Text is only ever text. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children)
}

/** An element of a drawing. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children)
}

/** Text of its own direction, that does not turn what stands around it. */
export function word(text: string, className?: string): HTMLElement {
  return el('bdi', { class: className }, text)
}

/** Says something to those who do not see; shown to nobody. */
export function spoken(text: string): HTMLElement {
  return el('span', { class: 'spoken' }, text)
}

function fill<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? '' : plain(String(value)))
  for (const child of children)
    if (child !== undefined) element.append(typeof child === 'string' ? plain(child) : child)
  return element
}
