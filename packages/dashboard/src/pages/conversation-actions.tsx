import { type ConversationDetail, type ConversationFormat, conversationFormats } from '@llm-eval/protocol'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Database, Download, RotateCcw, Trash2 } from 'lucide-react'
import { DropdownMenu } from 'radix-ui'
import { type FormEvent, useState } from 'react'
import { addTurns, deleteConversation, exportAddress, replay } from '../api/conversations.ts'
import { keys } from '../api/queries.ts'
import { useMay, useParts } from '../app/parts.ts'
import { useToasts } from '../app/toasts.tsx'
import { Button, buttonLook } from '../components/button.tsx'
import { Confirm, Dialog, FormEnd } from '../components/dialog.tsx'
import { TextField, wordOf } from '../components/field.tsx'
import { Menu, MenuFile, MenuItem, MenuSheet } from '../components/menu.tsx'
import { sayError } from '../components/notice.tsx'
import { AddToDataset } from './add-to-dataset.tsx'

interface ActionsProps {
  detail: ConversationDetail
  /** Places of the turns that were chosen. */
  chosen: ReadonlySet<number>
  onClear: () => void
}

/** What can be done with a conversation, and with the turns of it that were chosen. */
export function ConversationActions({ detail, chosen, onClear }: ActionsProps) {
  const { api } = useParts()
  const may = useMay('write')
  const [adding, setAdding] = useState(false)
  const turns = [...chosen].toSorted((a, b) => a - b)
  const what = turns.length === 0 ? 'all turns' : turns.length === 1 ? '1 turn' : `${turns.length} turns`
  const add = async (dataset: string): Promise<string> => {
    const { added } = await addTurns(api, detail.thread_id, { dataset, ...(turns.length === 0 ? {} : { turns }) })
    onClear()
    return `${added} ${added === 1 ? 'row was' : 'rows were'} added to ${dataset}.`
  }
  return (
    <div className="z-10 -mx-3 flex flex-wrap items-center gap-2 border-b bg-canvas px-3 py-2 sm:sticky sm:top-12">
      <ExportMenu thread={detail.thread_id} turns={turns} />
      {may && (
        <>
          <Button size="medium" onClick={() => setAdding(true)}>
            <Database aria-hidden size={15} />
            Add {what} to dataset
          </Button>
          <Replay detail={detail} />
          <AddToDataset
            open={adding}
            onOpen={setAdding}
            says="Each turn becomes a row of the draft: what the user said, with what the agent called and answered as its expectation."
            add={add}
          />
        </>
      )}
      {turns.length > 0 && (
        <Button size="medium" look="quiet" onClick={onClear}>
          Choose none
        </Button>
      )}
      {may && <More detail={detail} />}
    </div>
  )
}

const formatWords: Record<ConversationFormat, { name: string; says: string; end: string }> = {
  evalset: { name: 'Eval set', says: 'for adk eval', end: 'evalset.json' },
  evalcase: { name: 'Eval case', says: 'one bare case', end: 'evalcase.json' },
  legacy: { name: 'Eval set, older form', says: 'for ADK before 1.16', end: 'legacy.evalset.json' },
  trace: { name: 'Trace', says: 'to send to a server', end: 'trace.json' },
  jsonl: { name: 'JSON Lines', says: 'every event as it was recorded', end: 'jsonl' },
}

/** Whether a format holds turns, so that some of them can be chosen. */
function isEvalFile(format: ConversationFormat): boolean {
  return format !== 'trace' && format !== 'jsonl'
}

function ExportMenu({ thread, turns }: { thread: string; turns: readonly number[] }) {
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger className={buttonLook('primary', 'medium')}>
        <Download aria-hidden size={15} />
        Export{turns.length > 0 && ` ${turns.length}`}
      </DropdownMenu.Trigger>
      <MenuSheet align="start">
        {conversationFormats
          .filter((format) => turns.length === 0 || isEvalFile(format))
          .map((format) => {
            const { name, says, end } = formatWords[format]
            return (
              <MenuFile
                key={format}
                href={exportAddress(thread, format, turns)}
                file={`${thread.replace(/[^\w.-]+/g, '_')}.${end}`}
                name={name}
                says={says}
              />
            )
          })}
      </MenuSheet>
    </DropdownMenu.Root>
  )
}

function Replay({ detail }: { detail: ConversationDetail }) {
  const { api } = useParts()
  const navigate = useNavigate()
  const [open, setOpen] = useState(false)
  const begin = useMutation({
    mutationFn: (target: string) => replay(api, detail.thread_id, { target }),
    onSuccess(thread) {
      setOpen(false)
      void navigate({ to: '/conversations/$thread', params: { thread } })
    },
  })
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    begin.mutate(wordOf(new FormData(event.currentTarget), 'target'))
  }
  return (
    <>
      <Button size="medium" onClick={() => setOpen(true)}>
        <RotateCcw aria-hidden size={15} />
        Replay
      </Button>
      <Dialog
        open={open}
        onOpen={setOpen}
        title="Replay"
        says="Says the user’s turns again to an agent, in a conversation of its own that is held against this one."
      >
        <form aria-label="Replay" className="flex flex-col gap-3" onSubmit={submit}>
          <TextField
            label="Target of the bridge"
            name="target"
            required
            maxLength={200}
            defaultValue={detail.target ?? 'agent'}
          />
          <FormEnd
            fault={begin.error ? sayError(begin.error) : undefined}
            action="Replay"
            busy={begin.isPending}
            onCancel={() => setOpen(false)}
          />
        </form>
      </Dialog>
    </>
  )
}

function More({ detail }: { detail: ConversationDetail }) {
  const { api, queryClient } = useParts()
  const navigate = useNavigate()
  const toasts = useToasts()
  const [asking, setAsking] = useState(false)
  const removal = useMutation({
    mutationFn: () => deleteConversation(api, detail.thread_id),
    async onSuccess() {
      setAsking(false)
      toasts.show({ text: 'The conversation was deleted.', mood: 'good' })
      // First away from here: what is gone need not be read again.
      await navigate({ to: '/conversations' })
      await queryClient.invalidateQueries({ queryKey: keys.conversations })
    },
    onError: (error) => toasts.show({ text: `The conversation was not deleted. ${sayError(error)}`, mood: 'bad' }),
  })
  return (
    <span className="ml-auto">
      <Menu label="More about this conversation">
        <MenuItem picture={<Trash2 size={15} />} tone="text-bad" onSelect={() => setAsking(true)}>
          Delete…
        </MenuItem>
      </Menu>
      <Confirm
        open={asking}
        onOpen={setAsking}
        title="Delete this conversation?"
        says="All that was recorded of it goes, and its thread cannot be used again. This cannot be taken back."
        action="Delete"
        busy={removal.isPending}
        onConfirm={() => removal.mutate()}
      />
    </span>
  )
}
