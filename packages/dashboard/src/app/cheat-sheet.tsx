import { Key } from '../components/button.tsx'
import { Dialog } from '../components/dialog.tsx'
import { type Binding, keyLabels } from './keymap.ts'
import { useAllKeys } from './keys.tsx'

/** All keys that work on the page at this moment. */
export function CheatSheet({ open, onOpen }: { open: boolean; onOpen: (open: boolean) => void }) {
  return (
    <Dialog open={open} onOpen={onOpen} title="Keys" width="max-w-2xl">
      <Rows />
    </Dialog>
  )
}

function Rows() {
  const bindings = useAllKeys()()
  return (
    <div className="grid gap-6 sm:grid-cols-2">
      <Group title="On this page" bindings={bindings.filter(({ everywhere }) => !everywhere)} />
      <Group title="Everywhere" bindings={bindings.filter(({ everywhere }) => everywhere)} />
    </div>
  )
}

function Group({ title, bindings }: { title: string; bindings: readonly Binding[] }) {
  const mac = /mac|iphone|ipad/i.test(navigator.userAgent)
  if (bindings.length === 0) return null
  return (
    <section>
      <h3 className="mb-2 text-sm font-medium text-ink-3">{title}</h3>
      <dl className="grid grid-cols-[auto_1fr] items-center gap-x-4 gap-y-2">
        {bindings.map(({ keys, does }) => (
          <div key={`${keys.join()} ${does}`} className="contents">
            <dt className="flex items-center gap-1">
              {keys.map((stroke, at) => (
                <span key={stroke} className="flex items-center gap-1">
                  {at > 0 && <span className="text-xs text-ink-3">or</span>}
                  {keyLabels(stroke, mac).map((label) => (
                    <Key key={label}>{label}</Key>
                  ))}
                </span>
              ))}
            </dt>
            <dd className="text-ink-2">{does}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
