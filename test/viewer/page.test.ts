// @timeout 120
import type { LedgerRecord } from 'boxledger'
import type { Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { tellStory } from '../../src/api/story/tell.ts'
import { eventWords } from '../../src/cli/record-words.ts'
import type { Story } from '../../src/viewer/story.ts'
import { crashStory } from '../api/story/crash-story.ts'
import { findChromium, needsChromium } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { PageOpener } from './browser.ts'
import { hasHidden, hostileTexts } from './hostile.ts'
import { longStory } from './long-story.ts'
import { stepOf, storyOf } from './steps.ts'

const test = suite('viewer: the page in a browser')
const opener = new PageOpener()
let story: Story = storyOf({})

async function* each(records: readonly LedgerRecord[]): AsyncGenerator<LedgerRecord> {
  yield* records
}

test.before(async () => {
  if (findChromium() === undefined) return
  const records = await crashStory()
  story = await tellStory(each(records), { box: '', words: eventWords, now: Date.UTC(2031, 0, 1) })
})
test.after(() => opener.close())

/** As text: the tests themselves know no page. */
const inPage = <T>(page: Page, expression: string) => page.evaluate<T>(expression)
const textOf = async (page: Page, selector: string) =>
  // biome-ignore lint/performance/useDomNodeTextContent: what is seen is asked for
  (await page.locator(selector).first().innerText()).replace(/\s+/g, ' ').trim()
const allOf = async (page: Page, selector: string) =>
  (await page.locator(selector).allInnerTexts()).map(text => text.replace(/\s+/g, ' ').trim())
const idsOf = (page: Page, selector: string) => page.locator(`${selector} > text`).allTextContents()
const indexOf = (type: string, n = 0) =>
  story.steps.map((step, index) => ({ step, index })).filter(({ step }) => step.event.type === type)[n]
    ?.index ?? -1

needsChromium(test, 'opens from a file at its last step, asks for nothing and complains of nothing', () =>
  opener.show(story, async ({ page, complaints }) => {
    assert.is(await page.title(), 'shop · boxledger')
    assert.is(await textOf(page, 'h1'), 'shop')
    assert.match(await textOf(page, '.summary'), /stopped resting.*3 incarnations.*2 executions.*2 owners/)
    assert.is(await textOf(page, '.details h2'), 'vmm.exited')
    assert.is(await textOf(page, '.where'), `${story.steps.length} of ${story.steps.length}`)
    assert.equal(await idsOf(page, '.place.now'), ['stopped', 'resting'])
    assert.equal(
      (await allOf(page, '.band')).map(band => band.split(' · ')[1]),
      ['crash', 'crash', 'requested'],
    )
    assert.equal(complaints, [])
  }),
)

needsChromium(test, 'a step tells its move, event, effects, timers, differences, causes and record', () => {
  const exited = story.steps[indexOf('vmm.exited')]
  return opener.show(
    story,
    async ({ page }) => {
      assert.is(await textOf(page, '.details h2'), 'vmm.exited')
      assert.is(await textOf(page, '.move-words'), 'running steady → crashed scheduling')
      const told = await textOf(page, '.details')
      assert.match(told, /signal SIGKILL/)
      assert.match(told, /EFFECTS ASKED FOR scheduleRestart/i)
      assert.ok((await allOf(page, '.details tbody tr')).includes('open true false'))
      assert.ok((await allOf(page, '.details tbody tr')).includes('ending › cause nothing crash'))
      assert.match(told, new RegExp(`hash ${exited?.hash}`))
      assert.match(told, /LED TO v\d+ restart\.scheduled/i)
      assert.not.match(told, /agentBox|memoryMib/)
      await page.getByText('The state after it').click()
      await page.getByText('memoryMib').waitFor()
      // The way: just taken, taken before, and where it leads.
      assert.is(await page.locator('.move.going').count(), 1)
      assert.equal(await idsOf(page, '.place.now'), ['crashed', 'scheduling'])
      assert.ok((await idsOf(page, '.place.state.visited')).includes('running'))
      assert.not.ok((await idsOf(page, '.place.state.visited')).includes('paused'))
      await page.locator('.details .chain a').first().click()
      // The address changes first, and the page hears of that.
      await page.locator('.details h2', { hasText: 'restart.scheduled' }).waitFor()
      assert.match(await textOf(page, '.details'), /CAUSED BY v\d+ vmm\.exited/i)
    },
    { hash: `#v${exited?.version}` },
  )
})

needsChromium(test, 'keys step, jump, find and help; the address follows, and selects', () =>
  opener.show(story, async ({ page, complaints }) => {
    const where = async () => Number((await textOf(page, '.where')).split(' ')[0])
    const last = story.steps.length
    await page.keyboard.press('Home')
    assert.is(await where(), 1)
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('j')
    assert.is(await where(), 3)
    await page.keyboard.press('k')
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('ArrowLeft')
    assert.is(await where(), 1)
    await page.keyboard.press(']')
    assert.is(await textOf(page, '.details h2'), 'start.requested')
    await page.keyboard.press(']')
    assert.is(await textOf(page, '.details h2'), 'vm.booted')
    await page.keyboard.press('[')
    assert.is(await where(), 2)
    await page.waitForURL(/#v2$/)

    await page.keyboard.press('/')
    await page.keyboard.type('EXITED crashed')
    assert.is(await textOf(page, '.found'), '2 found')
    assert.equal(await allOf(page, '.row .event'), ['vmm.exited', 'vmm.exited'])
    await page.keyboard.press('Enter')
    assert.is(await where(), indexOf('vmm.exited', 0) + 1)
    await page.keyboard.press('ArrowDown')
    assert.is(await where(), indexOf('vmm.exited', 1) + 1)
    await page.keyboard.press('/')
    await page.keyboard.type('no such thing')
    assert.equal(await allOf(page, '.row'), [])
    await page.keyboard.press('Escape')
    assert.is(await textOf(page, '.found'), '')
    await page.keyboard.press('End')
    assert.is(await where(), last)

    await page.keyboard.press('?')
    assert.is(await textOf(page, 'dialog h2'), 'Keys')
    await page.keyboard.press('k')
    await page.keyboard.press('Escape')
    assert.is(await page.locator('dialog').isVisible(), false)
    assert.is(await where(), last)
    const execution = story.steps[indexOf('exec.ended')]
    await page.evaluate(`location.hash = '#p${execution?.position}'`)
    await page.waitForFunction(`document.querySelector('.details h2').textContent === 'exec.ended'`)
    assert.match(await textOf(page, '.details .over'), new RegExp(`^${execution?.execution} v2`))
    // Of an execution the box stays where it is.
    assert.equal(await idsOf(page, '.place.now'), ['running', 'steady'])
    assert.equal(complaints, [])
  }),
)

needsChromium(test, 'is told to those who do not see, and keeps within a narrow screen', () =>
  opener.show(
    story,
    async ({ page }) => {
      const list = page.getByRole('listbox', { name: 'Steps of the story' })
      const selected = page.locator('[aria-current=step]')
      assert.is(await selected.count(), 1)
      assert.is(await list.getAttribute('aria-activedescendant'), await selected.getAttribute('id'))
      assert.is(await selected.getAttribute('aria-setsize'), String(story.steps.length))
      assert.is(await selected.getAttribute('aria-posinset'), String(indexOf('box.renamed') + 1))
      const slider = page.getByRole('slider', { name: 'Step of the story' })
      assert.match((await slider.getAttribute('aria-valuetext')) ?? '', /box\.renamed, shop; in running/)
      assert.match(await textOf(page, '[role=status]'), /box\.renamed, shop/)
      assert.is(await page.getByRole('img', { name: 'The box machine, in running.steady' }).count(), 1)
      await slider.focus()
      await page.keyboard.press('End')
      assert.match((await slider.getAttribute('aria-valuetext')) ?? '', /vmm\.exited/)
      const { scrollWidth, clientWidth } = await inPage<Record<'scrollWidth' | 'clientWidth', number>>(
        page,
        '({ scrollWidth, clientWidth } = document.documentElement, { scrollWidth, clientWidth })',
      )
      assert.is(scrollWidth, clientWidth)
      // Everything is reached by the keyboard, and seen to be.
      await page.keyboard.press('Tab')
      assert.not.equal(
        await inPage<string>(page, 'getComputedStyle(document.activeElement).outlineStyle'),
        'none',
      )
    },
    { hash: `#v${story.steps[indexOf('box.renamed')]?.version}`, viewport: { width: 360, height: 700 } },
  ),
)

needsChromium(test, 'nothing in a record runs, becomes an element, or hides what it is', async () => {
  const steps = hostileTexts.flatMap((text, n) => [
    stepOf({
      version: n + 1,
      position: n + 1,
      event: { type: text, [text]: text, log: `${text}\n${text}` } as { type: string },
      ...{ words: text, actor: text, commandId: text, to: `running.${text}`, from: text },
      effects: [{ id: text, type: text }],
      timers: { set: [{ id: text, dueAt: Number.MAX_VALUE }], cancelled: [text] },
      differences: [{ path: [text], before: text, after: { [text]: [text] } }],
      at: Number.NaN,
      hash: text,
    }),
  ])
  const ending = { cause: hostileTexts[0] ?? '', words: hostileTexts[1] ?? '', step: 0 }
  const hostile = storyOf({
    name: hostileTexts.join(''),
    id: hostileTexts[2] ?? '',
    spec: hostileTexts,
    damage: hostileTexts.join(' '),
    steps,
    incarnations: [{ number: 1, first: 0, last: steps.length - 1, ending }],
  })
  await opener.show(hostile, async ({ page, complaints }) => {
    await page.keyboard.press('Home')
    for (const text of hostileTexts) {
      // What cannot be seen is written out; all else is there, letter for letter.
      const shown = await page.locator('.details h2').textContent()
      if (!hasHidden(text) && !text.includes('\ud800')) assert.is(shown, text)
      assert.not.ok(hasHidden(shown ?? ''), shown ?? '')
      await page.keyboard.press('ArrowRight')
    }
    assert.is(
      await inPage<number>(
        page,
        `document.querySelectorAll('img, script, iframe, a[href^="javascript"], svg svg').length`,
      ),
      2,
      "the page's own two scripts",
    )
    assert.is(await inPage<boolean>(page, `'broken' in globalThis`), false)
    assert.equal(complaints, [])
    // And if something tried: the policy holds.
    for (const attempt of [
      "document.body.innerHTML = '<b>x</b>'",
      "document.createElement('script').text = 'globalThis.broken = true'",
      "setTimeout('globalThis.broken = true')",
      "document.write('<script>globalThis.broken = true</script>')",
    ])
      assert.is(
        await inPage<string>(
          page,
          `(() => { try { ${attempt}; return 'done' } catch { return 'refused' } })()`,
        ),
        'refused',
        attempt,
      )
  })
})

needsChromium(test, 'ten thousand records open in a moment, and a step is there at once', async () => {
  await opener.show(longStory(10_000), async ({ page, complaints }) => {
    const opened = await inPage<number>(page, 'performance.now()')
    assert.is(await textOf(page, '.where'), '10000 of 10000')
    const keys = ['Home', ...Array(20).fill('ArrowRight'), 'End', ...Array(20).fill('ArrowLeft')]
    const took = await inPage<number[]>(
      page,
      `${JSON.stringify(keys)}.map(key => {
        const began = performance.now()
        dispatchEvent(new KeyboardEvent('keydown', { key }))
        document.body.getBoundingClientRect()
        return performance.now() - began
      })`,
    )
    const usual = took.sort((a, b) => a - b)[took.length >> 1] ?? Number.NaN
    // Far below what is asserted, which is for machines that have much else to do.
    console.log(`10,000 records: open after ${Math.round(opened)} ms, a step takes ${usual.toFixed(1)} ms`)
    assert.ok(opened < 6000, `${opened} ms`)
    assert.ok(usual < 250, `${usual} ms`)
    // Only rows in sight are there.
    assert.ok((await page.locator('.row').count()) < 60)
    assert.is(await textOf(page, '.where'), '9980 of 10000')
    assert.equal(complaints, [])
  })
})

needsChromium(test, 'printed, all rows are there', () =>
  opener.show(longStory(200), async ({ page }) => {
    await page.evaluate(`dispatchEvent(new Event('beforeprint'))`)
    assert.is(await page.locator('.row').count(), 200)
    await page.emulateMedia({ media: 'print' })
    assert.is(await page.locator('.bar-of-steps').isVisible(), false)
    const [first, second] = await Promise.all([0, 1].map(n => page.locator('.row').nth(n).boundingBox()))
    assert.ok((second?.y ?? 0) - (first?.y ?? 0) >= 40)
    await page.emulateMedia({ media: 'screen' })
    await page.evaluate(`dispatchEvent(new Event('afterprint'))`)
    assert.ok((await page.locator('.row').count()) < 200)
  }),
)

test.run()
