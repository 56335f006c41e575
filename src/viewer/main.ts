import { viewStory } from './app.ts'
import type { Story } from './story.ts'

const data = document.getElementById('story')
const root = document.getElementById('root')
if (data !== null && root !== null) viewStory(root, JSON.parse(data.textContent ?? '') as Story)
