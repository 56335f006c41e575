import { readFileSync } from 'node:fs'

/** Of the viewer, as it is compiled beside this. */
const folder = new URL('../../viewer/', import.meta.url)

/**
 * The viewer's modules as one: each is a function of its own, called in the order in which they need each other. It knows
 * only what the compiler makes of the viewer's own files, and fails at anything else.
 */
export function linkViewer(entry = 'main.js'): string {
  const linked = new Map<string, string>()
  link(entry, linked, [])
  return `'use strict';\n${[...linked.values()].join('')}`
}

function link(file: string, linked: Map<string, string>, within: readonly string[]): void {
  if (linked.has(file)) return
  if (within.includes(file)) throw new Error(`The viewer's modules need each other in a circle: ${file}`)
  const exported: string[] = []
  const lines = readFileSync(new URL(file, folder), 'utf8')
    .split('\n')
    .map(line => {
      const [, names, from] = /^import \{ ([\w, ]+) \} from '\.\/([\w-]+\.js)';$/.exec(line) ?? []
      if (names !== undefined && from !== undefined) {
        link(from, linked, [...within, file])
        return `const { ${names} } = ${variableOf(from)};`
      }
      const [, what, name] = /^export ((?:function|class|const) (\w+).*)$/.exec(line) ?? []
      if (what !== undefined && name !== undefined) {
        exported.push(name)
        return what
      }
      if (line.startsWith('//# sourceMappingURL=')) return ''
      if (/^(import|export)\b/.test(line)) throw new Error(`${file} of the viewer cannot be linked: ${line}`)
      return line
    })
  const body = `${lines.join('\n')}return { ${exported.join(', ')} };\n`
  linked.set(file, `const ${variableOf(file)} = (() => {\n${body}})();\n`)
}

function variableOf(file: string): string {
  return `$${file.replace(/\.js$/, '').replaceAll('-', '_')}`
}
