import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { socketPair } from '../../test/socket-pair.ts'
import { toMessage } from './outlet.ts'

describe('the writing end of a socket', () => {
  it('frames texts of every length as the client reads them, several in one write', async () => {
    using pair = await socketPair()
    const { outlet, client } = pair
    const texts = [0, 1, 125, 126, 65_535, 65_536, 200_000].map((length) => 'x'.repeat(length))
    const given = [...texts, 'Ünïcode 文字 🙂']
    const received: string[] = []
    client.on('message', (data: Buffer) => received.push(data.toString()))
    outlet.write(Buffer.concat(given.map(toMessage)))
    outlet.close(1000, '')
    await once(client, 'close')
    expect(received).toEqual(given)
  })

  it('is closed with 1013 when answers pile up that nobody reads', async () => {
    using pair = await socketPair()
    const { outlet, client } = pair
    client.pause()
    const padding = 'x'.repeat(10_000)
    for (let i = 0; i < 10_000 && !outlet.closed; i++) outlet.tell({ padding })
    expect(outlet.closed).toBe(true)
    client.resume()
    const [code] = (await once(client, 'close')) as [number]
    expect(code).toBe(1013)
  })

  it('does one thing after the other, also after one that failed', async () => {
    using pair = await socketPair()
    const { outlet } = pair
    const done: string[] = []
    const first = outlet.inTurn(async () => {
      await Promise.resolve()
      done.push('first')
      throw new Error('broken')
    })
    const second = outlet.inTurn(async () => done.push('second'))
    await expect(first).rejects.toThrow('broken')
    await second
    expect(done).toEqual(['first', 'second'])
  })
})
