/** Makes a run. */
export function NewRunPage() {
  return <h1 className="p-6 text-xl font-semibold">New run</h1>
}
