import { Link } from "@tanstack/react-router";
import { entityTarget } from "./paths";

/** The name of an entity, as a link to its page. */
export function EntityLink({ entity }: { entity: { id: string; kind: string; name: string } }) {
  return <Link {...entityTarget(entity)}>{entity.name}</Link>;
}
