/** Whether a rule evaluates anything: a word and a sign. */
export function StateTag({ isActive, deletedAt }: { isActive: boolean; deletedAt?: string | null }) {
  if (deletedAt) return <span className="tag bad">✕ deleted</span>;
  return isActive ? <span className="tag good">● enabled</span> : <span className="tag">○ disabled</span>;
}
