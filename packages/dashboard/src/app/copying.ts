import { copyText } from '../components/copy-button.tsx'
import { useToasts } from './toasts.tsx'

/** Copies a text, and says whether it worked. `name` is what it is, such as “the link”. */
export function useCopy(): (name: string, text: string) => void {
  const toasts = useToasts()
  return (name, text) => {
    void copyText(text).then((worked) =>
      toasts.show(
        worked ? { text: `Copied ${name}.`, mood: 'good' } : { text: `Could not copy ${name}.`, mood: 'bad' },
      ),
    )
  }
}
