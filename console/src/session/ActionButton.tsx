import type { ComponentProps } from "react";
import { type Mutation, refusalOf } from "./permissions";
import { useSession } from "./SessionGate";

/** Why this session may not make a change; null: it may. */
export function useRefusal(mutation: Mutation): string | null {
  return refusalOf(useSession(), mutation);
}

/** Which of these changes this session may make. */
export function useAllowed<M extends Mutation>(mutations: readonly M[]): readonly M[] {
  const session = useSession();
  return mutations.filter((mutation) => refusalOf(session, mutation) === null);
}

type Props = Omit<ComponentProps<"button">, "type"> & {
  mutation: Mutation;
  /** Whether the console shows the past, in which the change is not made. */
  past?: boolean;
};

/** A button that begins a change: there for whom the API lets make it, and disabled, with the reason, in the past. */
export function ActionButton({ mutation, past = false, disabled = false, title, ...rest }: Props) {
  const refusal = useRefusal(mutation);
  if (refusal !== null) return null;
  return <button type="button" className="button" {...rest} disabled={past || disabled} title={past ? "The past is read-only: go live to do this." : title} />;
}

/** Why a change is not offered, where its button would be; nothing where it is. */
export function RefusalNote({ mutation, what }: { mutation: Mutation; what: string }) {
  const refusal = useRefusal(mutation);
  if (refusal === null) return null;
  return (
    <span className="muted small">
      {what}: {refusal.replace(/^This /, "")}
    </span>
  );
}
