import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { EntityLink } from "../entities/EntityLink";
import { SeverityTag } from "../ui/Tags";
import { actionText, dampingText, escalationText } from "./versions";
import { type Names, type RuleContent, scopedId, scopeOf, scopeText, stepsOf, whenText } from "./content";

type Props = { content: RuleContent; names: Names; kinds: ReadonlyMap<string, string>; entityCount: ReactNode };

/** What a rule says, part by part: when, on what, what it opens, and what follows. */
export function RuleSentence({ content, names, kinds, entityCount }: Props) {
  const scope = scopeOf(content);
  const id = scopedId(scope);
  const kind = id === null ? undefined : kinds.get(id);
  const text = scopeText(scope, names);
  return (
    <div className="stack tight">
      <p className="rule-when">{whenText(content.condition)}.</p>
      <dl className="facts">
        <dt>On</dt>
        <dd>
          {id !== null && kind !== undefined && (scope.entityId || scope.underId) ? (
            <>
              {scope.underId && "everything under "}
              <EntityLink entity={{ id, kind, name: names.get(id) ?? "…" }} />
            </>
          ) : scope.type && scope.kind ? (
            <TypeLink kind={scope.kind} type={scope.type} text={text} />
          ) : (
            text
          )}{" "}
          <span className="muted">{entityCount}</span>
        </dd>
        <dt>Opens</dt>
        <dd>
          <SeverityTag severity={content.severity} />
          {stepsOf(content).length > 0 && <span> {escalationText(content)} while it stays open</span>}
        </dd>
        <dt>Then</dt>
        <dd>{actionText(content, names)}</dd>
        <dt>Damping</dt>
        <dd>{dampingText(content)}; further ones are merged into the last</dd>
      </dl>
    </div>
  );
}

function TypeLink({ kind, type, text }: { kind: string; type: string; text: string }) {
  const search = { type: type.replace(/,/g, "\\,") };
  if (kind === "DEVICE") return <Link to="/devices" search={search}>{text}</Link>;
  if (kind === "ASSET") return <Link to="/assets" search={search}>{text}</Link>;
  return <Link to="/spaces" search={search}>{text}</Link>;
}
