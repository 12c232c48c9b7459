import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { createDataset, datasetQueries } from '../api/datasets.ts'
import { useParts } from '../app/parts.ts'
import { useToasts } from '../app/toasts.tsx'
import { Dialog, FormEnd } from '../components/dialog.tsx'
import { Select, TextField, wordOf } from '../components/field.tsx'
import { Loading, sayError } from '../components/notice.tsx'

/** Makes something that happened a row of a dataset: today's mistake guards the next release. */
export function AddToDataset({
  says,
  add: addTo,
  open,
  onOpen,
}: {
  /** What becomes of it there. */
  says: string
  /** Adds it to a dataset, by slug; says what was done. */
  add: (slug: string) => Promise<string>
  open: boolean
  onOpen: (open: boolean) => void
}) {
  const { api, queryClient } = useParts()
  const datasets = datasetQueries(api)
  const toasts = useToasts()
  const [fault, setFault] = useState<string>()
  const { data } = useQuery({ ...datasets.datasets(), enabled: open })
  const add = useMutation({
    mutationFn: async (form: FormData) => {
      const chosen = wordOf(form, 'dataset')
      const slug = chosen === '' ? (await createDataset(api, wordOf(form, 'name'), '')).slug : chosen
      return { slug, said: await addTo(slug) }
    },
    async onSuccess({ slug, said }) {
      onOpen(false)
      setFault(undefined)
      toasts.show({ text: said, mood: 'good' })
      await queryClient.invalidateQueries({ queryKey: ['dataset', slug] })
      await queryClient.invalidateQueries({ queryKey: ['datasets'] })
    },
    onError: (error) => setFault(sayError(error)),
  })
  const [chosen, setChosen] = useState<string>()
  const first = data?.items[0]?.slug ?? ''
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    add.mutate(new FormData(event.currentTarget))
  }
  return (
    <Dialog open={open} onOpen={onOpen} title="Add to dataset" says={says}>
      {!data ? (
        <Loading what="the datasets" />
      ) : (
        <form aria-label="Add to dataset" className="flex flex-col gap-3" onSubmit={submit}>
          <Select
            label="Dataset"
            name="dataset"
            value={chosen ?? first}
            choices={[
              ...data.items.map(({ slug, name }) => ({ value: slug, label: name })),
              { value: '', label: 'A new one…' },
            ]}
            onChange={(event) => setChosen(event.target.value)}
          />
          {(chosen ?? first) === '' && <TextField label="Name" name="name" required maxLength={200} />}
          <FormEnd fault={fault} action="Add" busy={add.isPending} onCancel={() => onOpen(false)} />
        </form>
      )}
    </Dialog>
  )
}
