/** What a rule's scope may name; all null: the whole organization. */
type Scope = { entityId?: string | null; kind?: string | null; type?: string | null; underId?: string | null; profileId?: string | null };

/** An entity as a scope looks at it. */
export type Scoped = { id: string; kind: string; type: string | null; profileId: string | null };

/**
 * Whether a scope names an entity by id, type or profile, or everything.
 *
 * null: it names what is below another entity, which only the graph can tell.
 */
export function scopeHolds(scope: unknown, entity: Scoped): boolean | null {
  const { entityId, kind, type, underId, profileId } = (scope ?? {}) as Scope;
  if (entityId) return entityId === entity.id;
  if (underId) return null;
  if (profileId) return profileId === entity.profileId;
  if (kind && kind !== entity.kind) return false;
  return !type || type === entity.type;
}
