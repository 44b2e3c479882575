import { Link, type LinkProps } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useRefusal } from "./ActionButton";
import type { Mutation } from "./permissions";

type Props = Pick<LinkProps, "to" | "params" | "search"> & {
  mutation: Mutation;
  /** Whether the console shows the past, in which the change is not made. */
  past: boolean;
  className?: string;
  children: ReactNode;
};

/** A link to a page that makes a change: there for whom the API lets make it, and disabled, with the reason, in the past. */
export function ActionLink({ mutation, past, className = "button", children, ...link }: Props) {
  const refusal = useRefusal(mutation);
  if (refusal !== null) return null;
  if (past) {
    return (
      <button type="button" className={className} disabled title="The past is read-only: go live to do this.">
        {children}
      </button>
    );
  }
  return (
    <Link {...link} className={className}>
      {children}
    </Link>
  );
}
