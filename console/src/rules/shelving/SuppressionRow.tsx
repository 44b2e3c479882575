import { Link } from "@tanstack/react-router";
import { EntityLink } from "../../entities/EntityLink";
import { ActionButton } from "../../session/ActionButton";
import { Instant } from "../../ui/Time";
import type { Suppression } from "./useShelving";

type Props = {
  item: Suppression;
  past: boolean;
  isRunning: boolean;
  /** Whether it has not begun: then it is removed, and not ended. */
  isLater?: boolean;
  /** null: it is over. */
  onEnd: (() => void) | null;
};

/** A shelf or a maintenance window: what it keeps quiet, when, by whom and why, and how to end it. */
export function SuppressionRow({ item, past, isRunning, isLater = false, onEnd }: Props) {
  const isShelf = item.what === "shelf";
  return (
    <li className="shelf-row">
      <span className="what">
        <span className="tag">{isShelf ? "shelf" : "maintenance"}</span>{" "}
        {item.rule ? (
          <Link to="/rules/$id" params={{ id: item.rule.id }}>
            {item.rule.name}
          </Link>
        ) : (
          "Every rule"
        )}{" "}
        {item.entity ? (
          <>
            at <EntityLink entity={item.entity} />
            {!isShelf && " and below it"}
          </>
        ) : (
          "everywhere"
        )}
        {item.note && <span className="muted"> “{item.note}”</span>}
      </span>
      <span className="muted small">
        <Instant at={item.from} /> to <Instant at={item.to} />, by {item.actor}
      </span>
      {onEnd !== null && (
        <ActionButton mutation={isShelf ? "unshelveEvents" : "endMaintenanceWindow"} past={past} disabled={isRunning} onClick={onEnd}>
          {isLater ? "Remove" : "End now"}
        </ActionButton>
      )}
    </li>
  );
}
