/** The page of an entity as a target of links. Kinds without a page of their own have the common one. */
export function entityTarget(entity: { id: string; kind: string }) {
  const params = { id: entity.id };
  switch (entity.kind) {
    case "DEVICE":
      return { to: "/devices/$id", params } as const;
    case "ASSET":
      return { to: "/assets/$id", params } as const;
    case "SPACE":
      return { to: "/spaces/$id", params } as const;
    default:
      return { to: "/entities/$id", params } as const;
  }
}
