import { createHash } from 'node:crypto'
import type { Story } from '../../viewer/story.ts'
import { style } from '../../viewer/style/sheet.ts'
import { linkViewer } from './script.ts'

/**
 * A story as one page that needs nothing else: no server, no network, no other file. Nothing in the story can become a
 * part of the page: it is data, and only the page's own script and style are let run, by their hashes.
 */
export function storyPage(story: Story): string {
  const script = `\n${linkViewer()}`
  const sheet = `\n${style}`
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(sheet)}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>boxledger</title>
<style>${sheet}</style>
</head>
<body>
<div id="root"><noscript>This page shows the story of a box by a script of its own.</noscript></div>
<script type="application/json" id="story">${inertJson(story)}</script>
<script type="module">${script}</script>
</body>
</html>
`
}

/** JSON in which nothing looks like the end of an element, or like a line's. */
function inertJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
