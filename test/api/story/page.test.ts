import { createHash } from 'node:crypto'
import * as assert from 'uvu/assert'
import { storyPage } from '../../../src/api/story/page.ts'
import { linkViewer } from '../../../src/api/story/script.ts'
import { suite } from '../../support/suite.ts'
import { hostileTexts } from '../../viewer/hostile.ts'
import { stepOf, storyOf } from '../../viewer/steps.ts'

const test = suite('api: the page of a story')

test('the viewer becomes one script that stands alone', () => {
  const script = linkViewer()
  assert.not.match(script, /^\s*(import|export)\b/m)
  assert.not.match(script, /<\/script|<!--|sourceMappingURL|innerHTML|insertAdjacentHTML|eval\(/)
  // It is one that a browser would take: this compiles it, and runs nothing.
  new Function(script)
  assert.throws(() => linkViewer('no-such-module.js'), /ENOENT/)
})

test('only its own script and its own style may run, and nothing may be fetched', () => {
  const page = storyPage(storyOf({ steps: [stepOf({})] }))
  const [, policy = ''] = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(page) ?? []
  const [, script = ''] = /<script type="module">([\s\S]*?)<\/script>/.exec(page) ?? []
  const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? []
  assert.ok(script.length > 10_000 && style.length > 5_000)
  const directives = new Map(policy.split('; ').map(text => [text.split(' ')[0], text]))
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  assert.is(directives.get('default-src'), "default-src 'none'")
  assert.is(directives.get('script-src'), `script-src ${hash(script)}`)
  assert.is(directives.get('style-src'), `style-src ${hash(style)}`)
  assert.not.match(policy, /unsafe|\*|data:|blob:|https?:/)
  assert.equal(
    [...page.matchAll(/https?:\/\/[^\s"'<)]+/g)].map(([address]) => address),
    ['http://www.w3.org/2000/svg'],
  )
  assert.not.match(page, /\b(src|srcset)=|@import|url\((?!#arrow)/)
})

test('no text of a record can end the data, or is anything but data', () => {
  const empty = storyPage(storyOf({}))
  for (const text of hostileTexts) {
    const page = storyPage(
      storyOf({
        name: text,
        spec: [text],
        damage: text,
        steps: [stepOf({ words: text, to: text, actor: text })],
      }),
    )
    const [, json = ''] = /<script type="application\/json" id="story">([\s\S]*?)<\/script>/.exec(page) ?? []
    assert.is(JSON.parse(json).name, text)
    assert.not.match(json, /[<>&\u2028-\u202e\u2066-\u2069]/)
    // Beside its data it is the page of an empty story.
    const around = (whole: string) => whole.replace(/(id="story">)[^<]*/, '$1')
    assert.is(around(page), around(empty))
  }
})

test.run()
