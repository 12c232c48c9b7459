import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { evaluationQueries } from '../api/evaluation.ts'
import { useParts } from '../app/parts.ts'

/** An evaluator of a run, as the way to its page where the server has it: user code may have its own. */
export function EvaluatorName({ slug }: { slug: string }) {
  const { api } = useParts()
  const { data } = useQuery(evaluationQueries(api).evaluators())
  const isKnown = data?.items.some((one) => one.slug === slug || one.aliases.includes(slug)) === true
  if (!isKnown) return <span className="foreign">{slug}</span>
  return (
    <Link to="/evaluators/$slug" params={{ slug }} className="foreign text-accent hover:underline">
      {slug}
    </Link>
  )
}
