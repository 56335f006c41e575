import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { storyPage } from '../../src/api/story/page.ts'
import type { Story } from '../../src/viewer/story.ts'
import { findChromium } from '../support/requires.ts'
import { tempDir } from '../support/tmp.ts'

/** A page in a browser, and what it did that it must not do. */
export interface Opened {
  readonly page: Page
  /** what the console complained of, what was thrown, what was asked for beside the page, dialogs */
  readonly complaints: readonly string[]
}

/** One browser for all tests of a file; it is started when it is first used. */
export class PageOpener {
  readonly #dir = tempDir()
  #browser: Promise<Browser> | undefined
  #files = 0

  /** Shows a story in a window of its own, from a file. */
  async show(
    story: Story,
    test: (opened: Opened) => Promise<void>,
    { hash = '', ...options }: BrowserContextOptions & { readonly hash?: string } = {},
  ): Promise<void> {
    const file = path.join(this.#dir.path, `${++this.#files}.html`)
    writeFileSync(file, storyPage(story))
    this.#browser ??= chromium.launch({ executablePath: findChromium() ?? 'chromium' })
    const context = await (await this.#browser).newContext({
      viewport: { width: 1280, height: 800 },
      reducedMotion: 'reduce',
      ...options,
    })
    try {
      const page = await context.newPage()
      page.setDefaultTimeout(20_000)
      const complaints: string[] = []
      const address = pathToFileURL(file).href
      page.on('console', message => complaints.push(`${message.type()}: ${message.text()}`))
      page.on('pageerror', error => complaints.push(`thrown: ${error.message}`))
      page.on('dialog', dialog => complaints.push(`dialog: ${dialog.message()}`))
      page.on('request', request => {
        if (request.url() !== `${address}${hash}` && request.url() !== address)
          complaints.push(`request: ${request.url()}`)
      })
      await page.goto(`${address}${hash}`)
      await test({ page, complaints })
    } finally {
      await context.close()
    }
  }

  /** The browser, and what it left. */
  async close(): Promise<void> {
    await (await this.#browser)?.close()
    this.#dir[Symbol.dispose]()
  }
}
