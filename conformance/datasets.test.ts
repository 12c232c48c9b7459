import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Scene, setScene } from './scene.ts'

let scene: Scene
beforeAll(async () => {
  const about = 'Datasets: made, given columns and rows, filled from CSV, published, read as CSV and JSON Lines.'
  scene = await setScene({ cassette: { name: 'datasets', about } })
})
afterAll(() => scene[Symbol.asyncDispose]())

describe("the SDK's datasets", () => {
  it('are made with a slug of the name, listed, found and described', async () => {
    const { datasets } = scene.client
    const made = await datasets.create({ name: 'QA Set_one', description: 'questions' })
    expect(made).toMatchObject({ slug: 'qa-set-one', name: 'QA Set_one', description: 'questions' })
    expect(await made.getColumns()).toEqual([])
    await made.update({ name: 'Questions', description: 'and answers' })
    expect(await datasets.get('qa-set-one')).toMatchObject({ name: 'Questions', description: 'and answers' })
    const { datasets: all, total } = await datasets.list()
    expect(total).toBe(1)
    expect(all.map((one) => one.slug)).toEqual(['qa-set-one'])
  })

  it('keep the slug that they were given', async () => {
    const made = await scene.client.datasets.create({ name: 'Other', slug: 'my_own' })
    expect(made.slug).toBe('my_own')
    expect((await scene.client.datasets.get('my_own')).id).toBe(made.id)
    await scene.client.datasets.delete('my_own')
    await expect(scene.client.datasets.get('my_own')).rejects.toThrow('There is no dataset my_own.')
  })

  it('have columns that can be changed, retyped and removed, and dates that are served as text', async () => {
    const made = await scene.client.datasets.create({ name: 'columns' })
    const [question, born, gone] = await made.addColumn([
      { name: 'User question', type: 'string' },
      { name: 'born', type: 'date' },
      { name: 'gone', type: 'number' },
    ])
    expect(question).toMatchObject({ slug: 'user-question', name: 'User question', type: 'string' })
    expect(born?.type).toBe('string')
    await gone?.delete()
    await born?.update({ name: 'birthday' })
    const again = await scene.client.datasets.get('columns')
    expect((await again.getColumns()).map(({ slug, name, type }) => [slug, name, type])).toEqual([
      ['user-question', 'User question', 'string'],
      ['born', 'birthday', 'string'],
    ])
  })

  it('take rows by the names of columns, change them, keep what was not changed, and lose deleted ones', async () => {
    await scene.client.datasets.create({ name: 'rows' })
    await (await scene.client.datasets.get('rows')).addColumn([
      { name: 'snake_col', type: 'string' },
      { name: 'Score', type: 'number' },
    ])
    const found = await scene.client.datasets.get('rows')
    const [first, second] = await found.addRows([
      { snake_col: 'a', Score: 1 },
      { snake_col: 'b', Score: 2.5 },
    ])
    expect([first?.data, second?.data]).toEqual([
      { snake_col: 'a', Score: 1 },
      { snake_col: 'b', Score: 2.5 },
    ])
    const [read] = await found.getRows(1, 1)
    expect(read?.data).toEqual({ 'snake-col': 'b', score: 2.5 })
    await read?.partialUpdate({ snakeCol: 'c' })
    await first?.update({ data: { Score: 7 } })
    expect(first?.datasetSlug).toBe('rows')
    expect((await found.getRows()).map((row) => row.data)).toEqual([
      { 'snake-col': 'a', score: 7 },
      { 'snake-col': 'c', score: 2.5 },
    ])
    await second?.delete()
    expect(await found.getRows()).toHaveLength(1)
  })

  it('are filled from CSV in pieces of 100 rows, whose types the SDK guesses', async () => {
    const made = await scene.client.datasets.create({ name: 'from csv' })
    await made.addColumn([
      { name: 'text', type: 'string' },
      { name: 'n', type: 'number' },
      { name: 'ok', type: 'boolean' },
    ])
    const found = await scene.client.datasets.get('from-csv')
    const lines = Array.from({ length: 150 }, (_, n) => `${n % 2 ? n : `"t, ${n}"`},${n},${n % 2 === 0}`)
    expect(await found.fromCSV(`text,n,ok\n${lines.join('\n')}\n`)).toHaveLength(150)
    const rows = await found.getRows(1_000)
    expect(rows).toHaveLength(150)
    expect(rows[0]?.data).toEqual({ text: 't, 0', n: 0, ok: true })
    expect(rows[149]?.data).toEqual({ text: '149', n: 149, ok: false })
  })

  it('are published as versions, and go on being usable after that', async () => {
    const made = await scene.client.datasets.create({ name: 'versions' })
    await made.addColumn([{ name: 'Q', type: 'string' }])
    const found = await scene.client.datasets.get('versions')
    await found.addRow({ Q: 'one' })
    await found.publish()
    expect(found).toMatchObject({ slug: 'versions', version: 'v1', published: true })
    await found.addRow({ Q: 'two, "quoted"' })
    await found.publish({ version: 'second' })
    const { versions, total } = await found.getVersions()
    expect(total).toBe(2)
    expect(versions.map(({ version }) => version)).toEqual(['second', 'v1'])
    expect(await found.getVersion('v1')).toMatchObject({ version: 'v1' })
    expect(await found.getVersion('v9')).toBeNull()
  })

  it('give a version as CSV, with the names of the columns', async () => {
    expect(await scene.client.datasets.getVersionCSV('versions', 'v1')).toBe('Q\r\none\r\n')
    expect(await scene.client.datasets.getVersionCSV('versions', 'second')).toBe('Q\r\none\r\n"two, ""quoted"""\r\n')
  })

  it('give a version as JSON Lines, after a line about the columns', async () => {
    const lines = (await scene.client.datasets.getVersionAsJsonl('versions', 'second')).trimEnd().split('\n')
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      { columns: { q: { slug: 'q', name: 'Q', type: 'string' } } },
      { q: 'one' },
      { q: 'two, "quoted"' },
    ])
    await expect(scene.client.datasets.getVersionAsJsonl('versions', 'none')).rejects.toThrow('404')
  })

  it('keep the address of a file in a cell, and say that they take no uploads', async () => {
    const { attachment } = await import('@traceloop/node-server-sdk')
    const made = await scene.client.datasets.create({ name: 'files' })
    await made.addColumn([{ name: 'photo', type: 'file' }])
    const found = await scene.client.datasets.get('files')
    const row = await found.addRow({ photo: null })
    const set = await row.setAttachment('photo', attachment.url('https://example.com/a.png', { fileType: 'image' }))
    expect(set).toMatchObject({ storageType: 'external', url: 'https://example.com/a.png' })
    const [read] = await found.getRows()
    expect(read?.getAttachment('photo')).toMatchObject({ url: 'https://example.com/a.png', fileType: 'image' })
    const upload = row.setAttachment('photo', attachment.buffer(Buffer.from('x'), 'a.txt'))
    await expect(upload).rejects.toThrow('Uploading the files of cells')
  })

  it('are told apart from one that is not there, or taken, by an error in words', async () => {
    const { datasets } = scene.client
    await expect(datasets.get('nothing')).rejects.toThrow('There is no dataset nothing.')
    await expect(datasets.create({ name: 'Rows', slug: 'rows' })).rejects.toThrow('The name rows is taken.')
  })
})
