// Names: unique among boxes that are not removed, found by name, ID or the beginning of an ID, free again afterwards.
// Nothing is started, so this runs on any machine.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BoxError, BoxRuntime } from 'boxledger'

const home = process.env.BOXLEDGER_HOME ?? mkdtempSync(join(tmpdir(), 'boxes-'))
const runtime = await BoxRuntime.open({ home })
try {
  const box = await runtime.create({ name: 'web', labels: { example: 'names' } })
  const found = [box.id, 'web', box.id.slice(0, 6)].map(word => runtime.get(word))
  const same = (await Promise.all(found)).every(other => other?.id === box.id)
  console.log(`by ID, by name, by prefix: ${same ? 'the same box' : 'different boxes'}`)

  const refusal = await runtime.create({ name: 'web' }).catch((error: unknown) => error)
  if (BoxError.is(refusal)) console.log(`a second "web": ${refusal.code}`)

  const again = await runtime.getOrCreate({ name: 'web', cpus: 2 })
  console.log(`getOrCreate: created ${again.created}, differs in ${again.differs.join(', ')}`)

  // Many at once: one makes the box, all get it.
  const many = await Promise.all([1, 2, 3, 4].map(() => runtime.getOrCreate({ name: 'one' })))
  const ids = new Set(many.map(each => each.box.id))
  console.log(`four at once: ${ids.size} box, created by ${many.filter(each => each.created).length}`)

  await runtime.rename('web', 'site')
  console.log(`renamed: web ${await runtime.exists('web')}, site ${await runtime.exists('site')}`)

  await runtime.remove('site')
  const next = await runtime.create({ name: 'site', labels: { example: 'names' } })
  console.log(`the name is free again, the ID is not: ${next.id !== box.id}`)
} finally {
  await runtime.remove('one').catch(() => {})
  for (const { id } of await runtime.listInfo({ labels: { example: 'names' } })) await runtime.remove(id)
  await runtime.close()
  if (home !== process.env.BOXLEDGER_HOME) rmSync(home, { recursive: true })
}
