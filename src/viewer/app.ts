import { Details } from './details.ts'
import { el } from './dom.ts'
import { Drawing } from './drawing.ts'
import { helpView } from './help.ts'
import { type Command, commandOf } from './keys.ts'
import { machineLayout } from './machine-layout.ts'
import { hashOf, sentenceOf } from './marks.ts'
import { stateOf } from './paths.ts'
import { plain } from './plain.ts'
import { Search } from './search.ts'
import type { Story } from './story.ts'
import { Strip } from './strip.ts'
import { summaryView } from './summary.ts'
import { Timeline } from './timeline.ts'

/** Time without another step before the page's address follows, in `ms`: browsers bear few changes of it. */
const settleMs = 150

/** Shows a story in an element of the page; `#v12` in the page's address selects version 12. */
export function viewStory(root: HTMLElement, story: Story): void {
  new Viewer(root, story)
}

class Viewer {
  readonly #story: Story
  readonly #search: Search
  readonly #strip: Strip
  readonly #timeline: Timeline
  readonly #drawing: Drawing
  readonly #details: Details
  readonly #help = helpView()
  readonly #spoken = el('p', { class: 'spoken', role: 'status', 'aria-live': 'polite' })
  readonly #where = el('span', { class: 'where' })
  readonly #found = el('span', { class: 'found', 'aria-live': 'polite' })
  readonly #input = el('input', {
    type: 'search',
    placeholder: 'Find steps  /',
    'aria-label': 'Find steps',
    autocomplete: 'off',
    spellcheck: 'false',
  })
  /** indexes of the steps that are listed */
  #listed: readonly number[]
  /** -1: there is no step */
  #selected: number | undefined
  #settling: ReturnType<typeof setTimeout> | undefined

  constructor(root: HTMLElement, story: Story) {
    this.#story = story
    const choose = (index: number) => this.#select(index)
    this.#search = new Search(story.steps)
    this.#listed = this.#search.find('')
    this.#strip = new Strip(story, choose)
    this.#timeline = new Timeline(story.steps, choose)
    this.#drawing = new Drawing(machineLayout, story.steps)
    this.#details = new Details(story)
    const button = (label: string, command: Command, sign: string) => {
      const made = el('button', { type: 'button', 'aria-label': label, title: label }, sign)
      made.addEventListener('click', () => this.#obey(command))
      return made
    }
    const bar = el(
      'div',
      { class: 'bar-of-steps' },
      el(
        'div',
        { class: 'buttons' },
        button('First step', 'first', '⇤'),
        button('Step before', 'back', '←'),
        button('Next step', 'forth', '→'),
        button('Last step', 'last', '⇥'),
      ),
      this.#where,
      el('label', { class: 'find' }, this.#input, this.#found),
      button('Keys', 'help', '?'),
    )
    root.replaceChildren(
      summaryView(story),
      el('div', { class: 'top' }, this.#strip.element, bar),
      el(
        'main',
        { class: 'panes' },
        this.#timeline.element,
        el(
          'div',
          { class: 'side' },
          el('figure', { class: 'machine' }, this.#drawing.element),
          this.#details.element,
        ),
      ),
      this.#spoken,
      this.#help,
    )
    document.title = plain(`${story.name ?? story.id} · boxledger`)
    this.#listen()
    this.#timeline.list(this.#listed)
    this.#select(this.#indexOf(location.hash) ?? story.steps.length - 1)
  }

  #listen(): void {
    this.#input.addEventListener('input', () => this.#find())
    addEventListener('hashchange', () => {
      const index = this.#indexOf(location.hash)
      if (index !== undefined) this.#select(index)
    })
    addEventListener('keydown', event => {
      const command = this.#help.open ? undefined : commandOf(event)
      if (command === undefined) return
      event.preventDefault()
      this.#obey(command)
    })
    addEventListener('beforeprint', () => this.#timeline.unroll(true))
    addEventListener('afterprint', () => this.#timeline.unroll(false))
  }

  #obey(command: Command): void {
    switch (command) {
      case 'help':
        this.#help.showModal()
        break
      case 'search':
        this.#input.focus()
        this.#input.select()
        break
      case 'leave':
        this.#input.value = ''
        this.#find()
        this.#timeline.element.focus()
        break
      case 'take':
        this.#timeline.element.focus()
        break
      default: {
        const index = this.#targetOf(command)
        if (index !== undefined) this.#select(index)
      }
    }
  }

  /** Where a command leads, among the steps that are listed. */
  #targetOf(command: Command): number | undefined {
    const listed = this.#listed
    const selected = this.#selected ?? -1
    const after = listed.findIndex(index => index > selected)
    const before = listed.findLastIndex(index => index < selected)
    switch (command) {
      case 'first':
        return listed[0]
      case 'last':
        return listed.at(-1)
      case 'forth':
        return listed[after]
      case 'back':
        return listed[before]
      case 'forth-state':
        return after < 0 ? undefined : listed.slice(after).find(index => this.#isChange(index))
      case 'back-state':
        return before < 0 ? undefined : listed.slice(0, before + 1).findLast(index => this.#isChange(index))
      default:
        return undefined
    }
  }

  #isChange(index: number): boolean {
    const step = this.#story.steps[index]
    return step !== undefined && step.execution === undefined && stateOf(step.from) !== stateOf(step.to)
  }

  #find(): void {
    this.#listed = this.#search.find(this.#input.value)
    const isAll = this.#listed.length === this.#story.steps.length
    this.#found.textContent = isAll ? '' : `${this.#listed.length} found`
    this.#timeline.list(this.#listed)
    const nearest = this.#listed.find(index => index >= (this.#selected ?? -1)) ?? this.#listed.at(-1)
    if (nearest !== undefined) this.#select(nearest)
  }

  #select(index: number): void {
    const { steps } = this.#story
    if (index === this.#selected) return
    this.#selected = index
    this.#strip.show(index)
    this.#timeline.show(index)
    this.#drawing.show(index)
    this.#details.show(index)
    const step = steps[index]
    this.#where.textContent = `${index + 1} of ${steps.length}`
    if (step === undefined) return
    this.#spoken.textContent = plain(sentenceOf(step))
    clearTimeout(this.#settling)
    this.#settling = setTimeout(() => this.#keepAddress(hashOf(step)), settleMs)
  }

  /** Replaced, so that the way back leads out of the page and not through all of its steps. */
  #keepAddress(hash: string): void {
    if (location.hash !== hash) history.replaceState(null, '', hash)
  }

  #indexOf(hash: string): number | undefined {
    const [, kind, digits] = /^#([vp])(\d{1,15})$/.exec(hash) ?? []
    if (kind === undefined) return undefined
    const number = Number(digits)
    const index = this.#story.steps.findIndex(({ execution, version, position }) =>
      kind === 'p' ? position === number : execution === undefined && version === number,
    )
    return index < 0 ? undefined : index
  }
}
