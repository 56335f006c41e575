import type { WriteStream } from 'node:tty'

/** What the quickstart prints, line by line. */
export interface Report {
  title(text: string): void
  step(text: string): void
  /** something under way that takes a while */
  progress(text: string): void
  /** something that was seen to be so */
  seen(text: string): void
  /** words of others, such as a guest's */
  quote(text: string): void
  line(text: string): void
  failed(error: unknown): void
  end(text: string): void
}

export function makeReport(out: WriteStream): Report {
  const styled = out.isTTY && !process.env.NO_COLOR
  const style = (code: number) => (text: string) => (styled ? `\x1b[${code}m${text}\x1b[0m` : text)
  const [bold, dim, red, green] = [style(1), style(2), style(31), style(32)]
  const print = (text: string) => void out.write(`${text}\n`)
  const began = performance.now()
  const now = () => dim(`${((performance.now() - began) / 1000).toFixed(1).padStart(5)} s`)
  let steps = 0
  return {
    title: text => print(`\n  ${bold(text)}\n`),
    step: text => {
      steps += 1
      print(`${steps === 1 ? '' : '\n'}${now()}  ${bold(`${steps}. ${text}`)}`)
    },
    progress: text => print(`${now()}     ${dim(`… ${text}`)}`),
    seen: text => print(`${now()}     ${green('✓')} ${text}`),
    quote: text => print(`           ${dim(`│ ${text}`)}`),
    line: text => print(`           ${text}`),
    failed: error => {
      print(`\n${now()}     ${red('✗')} ${error instanceof Error ? error.message : String(error)}`)
      const details = (error as { details?: unknown } | null)?.details
      if (details !== undefined) print(`           ${JSON.stringify(details)}`)
    },
    end: text => print(`\n${now()}  ${green('✓')} ${bold(text)}\n`),
  }
}
