import type { Named } from "./above";
import { EntityLink } from "./EntityLink";

/** Where an entity is, from the outermost place inwards. */
export function Breadcrumb({ path, name }: { path: readonly Named[]; name: string }) {
  if (path.length === 0) return null;
  return (
    <nav className="breadcrumb small" aria-label="Where it is">
      <ol>
        {path.map((entity) => (
          <li key={entity.id}>
            <EntityLink entity={entity} />
          </li>
        ))}
        <li aria-current="page">{name}</li>
      </ol>
    </nav>
  );
}
