import { beforeAll, describe, expect, test } from 'vitest'
import type { NewTrace } from '../store.ts'
import { newTrace, newTraces, type Room } from './room.contract.ts'

/** Full-text search: one set of matching rules for both drivers. */
export function searchContract(room: () => Promise<Room>): void {
  describe('search', () => {
    const texts = {
      plain: 'The quick brown fox jumps over the lazy dog',
      diacritics: 'Crème brûlée à la façon de Zoë, naïve Ångström, Đặng',
      german: 'Straße und Größe, ÜBERMÄSSIG',
      greek: 'Ελληνικά ΟΔΥΣΣΕΑΣ',
      cyrillic: 'Привет, Мир',
      chinese: '今天天气很好。我们去公园。',
      japanese: '日本語のテキスト、カタカナ',
      korean: '안녕하세요 세계',
      thai: 'สวัสดีชาวโลก',
      arabic: 'مرحبا بالعالم',
      code: 'snake_case_name camelCase HTTP2 x86_64 v1.2.3 42 foo(bar)',
      mixed: 'GPT-4o回答is好的ok',
      fullWidth: 'ＡＢＣ１２３ ﬁne ①',
      emoji: 'party 🎉 time 👩‍💻 done',
      odd: 'nul\u0000byte lone\ud800surrogate tab\tend',
    }
    let r: Room
    const traces: Record<string, NewTrace> = {}
    beforeAll(async () => {
      r = await room()
      for (const [name, text] of Object.entries(texts)) {
        // Half of the texts stand in the query, half in the response.
        const inQuery = Object.keys(traces).length % 2 === 0
        const body = inQuery ? { user_query: text, ai_response: '' } : { user_query: '', ai_response: text }
        traces[name] = newTrace({ traceId: `text-${name}` }, body)
      }
      await r.ingest(Object.values(traces))
      await r.caughtUp()
    }, 60_000)

    const found = async (q: string) => (await r.list({ q })).ids.map((id) => id.replace('text-', '')).sort()

    const rules: [rule: string, query: string, expected: (keyof typeof texts)[]][] = [
      ['one word', 'fox', ['plain']],
      ['all words must occur, in any order', 'dog QUICK', ['plain']],
      ['a word that does not occur', 'fox cat', []],
      ['a part of a word does not match', 'qui', []],
      ['a beginning matches with a star', 'qui*', ['plain']],
      ['a beginning matches the whole word too', 'fox*', ['plain']],
      ['the end of a word does not match with a star', '*ick', []],
      ['case does not matter', 'JUMPS', ['plain']],
      ['diacritics do not matter in the text', 'creme brulee', ['diacritics']],
      ['diacritics do not matter in the query', 'fóx', ['plain']],
      ['diacritics of several kinds', 'angstrom zoe naive', ['diacritics']],
      ['a letter with a stroke is a letter of its own', 'dang', []],
      ['and is found as it is written', 'đang', ['diacritics']],
      ['a beginning of ASCII finds a word that goes on otherwise', 'stra*', ['german']],
      ['a beginning that ends within other letters', 'straß*', ['german']],
      ['umlauts fold to their letters', 'ubermassig grosse', []],
      ['umlauts and sharp s as they are', 'übermässig größe', ['german']],
      ['Greek capitals', 'ελληνικα', ['greek']],
      ['Cyrillic capitals', 'МИР привет', ['cyrillic']],
      ['a Chinese word inside a sentence', '天气', ['chinese']],
      ['a longer Chinese phrase', '今天天气', ['chinese']],
      ['Chinese characters that do not stand together', '今气', []],
      ['a single Chinese character', '园', ['chinese']],
      ['a Japanese word inside a run', '日本', ['japanese']],
      ['Katakana', 'カタカナ', ['japanese']],
      ['Korean words', '세계', ['korean']],
      ['the beginning of a Korean word', '안녕*', ['korean']],
      ['Thai without spaces', 'ชาว', ['thai']],
      ['Arabic', 'مرحبا', ['arabic']],
      ['underscores are part of a word', 'snake_case_name', ['code']],
      ['a part between underscores is none', 'case', []],
      ['digits are words', '42', ['code']],
      ['digits inside words', 'http2 x86_64', ['code']],
      ['dots part words', 'v1 2 3', ['code']],
      ['punctuation in the query is passed over', 'foo(bar)', ['code']],
      ['scripts in one word are parted', 'gpt 4o 回答 ok', ['mixed']],
      ['full width is ordinary width', 'abc123', ['fullWidth']],
      ['ligatures and circled digits are letters and digits', 'fine 1', ['fullWidth']],
      ['emoji are no words', '🎉', []],
      ['words around emoji', 'party time', ['emoji']],
      ['NUL and lone surrogates part words', 'nul byte lone surrogate end', ['odd']],
    ]
    for (const [rule, query, expected] of rules) {
      test(`${rule}: ${JSON.stringify(query)}`, async () => expect(await found(query)).toEqual(expected))
    }

    const hostile = [
      `"`,
      `'`,
      `\\`,
      `fox" OR "1"="1`,
      `fox' | 'cat`,
      `fox & !dog`,
      `fox:*`,
      `fox:A`,
      `(fox`,
      `fox NEAR dog`,
      `tokens:fox`,
      `-fox`,
      `^fox`,
      `fox*dog`,
      `\u0000`,
      `f\u0000ox`,
      `\ud800`,
      `%`,
      `_`,
      `***`,
      `{}`,
      `; DROP TABLE traces`,
      `<->`,
      'x'.repeat(200),
      'a '.repeat(5_000),
      '日'.repeat(10_000),
      '\u0300'.repeat(100),
      'ﷺ'.repeat(50),
    ]
    test('no query breaks the search, or matches what its words do not', async () => {
      for (const query of hostile) expect(Array.isArray(await found(query)), query).toBe(true)
      expect(await found(`fox' | 'cat`)).toEqual([])
      expect(await found(`fox & !dog`)).toEqual(['plain'])
      expect(await found(`fox:*`)).toEqual(['plain'])
      expect(await found(`"lazy" "dog"`)).toEqual(['plain'])
      expect(await found('')).toEqual([])
      expect(await found(' * ')).toEqual([])
    })

    test('words beyond the limit of a query are passed over', async () => {
      const words = 'the quick brown fox jumps over lazy dog'
      expect(await found(`${words} ${words} ${'absent '.repeat(3)}`)).toEqual([])
      expect(await found(`${words} ${words} ${words}`)).toEqual(['plain'])
    })

    test('texts of any size and any script are indexed, and nothing holds up what comes after', async () => {
      const own = await room()
      const long = 'averyveryverylongword'.repeat(20)
      const sizes: [string, string][] = [
        ['many-words', Array.from({ length: 10_000 }, (_, i) => `word${i}`).join(' ')],
        ['one-word', long],
        [
          'chinese',
          Array.from({ length: 150_000 }, (_, i) => String.fromCodePoint(0x4e00 + ((i * 7919) % 20_000))).join(''),
        ],
        ['rare', Array.from({ length: 90_000 }, (_, i) => String.fromCodePoint(0x20000 + (i % 40_000))).join('')],
        ['expanding', 'ﷺ '.repeat(60_000)],
        // Ordering so many marks the simple way takes minutes.
        ['marks', `many a${'\u0301\u0323'.repeat(80_000)} marks`],
        ['points', `many a${'\u05b0\u05b1\u0591'.repeat(60_000)} points`],
        ['long-words', `${'x'.repeat(16_380)}日本語${'y'.repeat(16_384)}`],
        ['combined', '\u0e33'.repeat(150_000)],
        ['a-million', 'lorem ipsum '.repeat(83_000)],
      ]
      const sent = sizes.map(([name, text]) => newTrace({ traceId: `size-${name}` }, { ai_response: text }))
      await own.ingest([...sent, newTrace({ traceId: 'size-last' }, { ai_response: 'the very last' })])
      await own.caughtUp()
      const ids = async (q: string) => (await own.list({ q })).ids
      expect(await ids('last')).toEqual(['size-last'])
      expect(await ids('word9999 word0')).toEqual(['size-many-words'])
      expect(await ids(long)).toEqual(['size-one-word'])
      expect(await ids('averyvery*')).toEqual(['size-one-word'])
      expect(await ids(String.fromCodePoint(0x4e00, 0x4e00 + 7919))).toEqual(['size-chinese'])
      expect(await ids('lorem ipsum')).toEqual(['size-a-million'])
      expect(await ids('many a marks')).toEqual(['size-marks'])
      expect(await ids('日本語')).toEqual(['size-long-words'])
    })

    test('pages of a search go on where the last one ended, over more matches than one step fetches', async () => {
      const own = await room()
      const many = newTraces(1_200, (i) => ({ userId: i % 100 === 0 ? 'rare' : 'often' }))
      for (let at = 0; at < many.length; at += 400) await own.ingest(many.slice(at, at + 400))
      await own.caughtUp()
      const all = many.map((trace) => trace.traceId).toReversed()
      expect((await own.list({ q: 'paris' }, { limit: 200 })).ids).toEqual(all)
      const rare = many.filter((trace) => trace.userId === 'rare').map((trace) => trace.traceId)
      const filter = { q: 'capital par*', user_id: 'rare' }
      expect((await own.list(filter, { limit: 5 })).ids).toEqual(rare.toReversed())
      const sliced = await own.list(filter, { limit: 5, sliceMs: 0 })
      expect(sliced.ids).toEqual(rare.toReversed())
      expect(sliced.pages).toBeGreaterThan(3)
    })

    test('a search finds what was stored before, and says how much the index has not read yet', async () => {
      const own = await room()
      expect(await own.read('lags', {})).toEqual({ search: 0, rollups: 0 })
      await own.ingest(newTraces(30))
      const { search } = await own.read('lags', {})
      expect(search).toBeGreaterThanOrEqual(0)
      expect(search).toBeLessThanOrEqual(30)
      await own.caughtUp()
      expect((await own.list({ q: 'paris' })).ids).toHaveLength(30)
    })
  })
}
