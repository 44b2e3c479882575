import type { Session } from "./session";

type Role = NonNullable<Session["role"]>;

/** The role that a change needs at least, and whether who is confined to a part of the plant may make it there. */
type Permission = { role: Role; isScoped: boolean };

/** What each change of the console needs, as the API has it; a test compares the two. */
export const PERMISSIONS = {
  acknowledgeEvent: { role: "operator", isScoped: true },
  acknowledgeEvents: { role: "operator", isScoped: true },
  commentEvent: { role: "operator", isScoped: true },
  correctEdge: { role: "operator", isScoped: true },
  createActivity: { role: "operator", isScoped: false },
  createActivityFromTemplate: { role: "operator", isScoped: true },
  createAsset: { role: "operator", isScoped: true },
  createDevice: { role: "operator", isScoped: false },
  createEdge: { role: "operator", isScoped: true },
  createMaintenanceWindow: { role: "operator", isScoped: true },
  createRule: { role: "admin", isScoped: false },
  deleteEntities: { role: "admin", isScoped: true },
  deleteRule: { role: "admin", isScoped: false },
  dismissEvent: { role: "operator", isScoped: true },
  dismissEvents: { role: "operator", isScoped: true },
  endEdge: { role: "operator", isScoped: true },
  endMaintenanceWindow: { role: "operator", isScoped: true },
  importGraph: { role: "admin", isScoped: false },
  issueDeviceToken: { role: "admin", isScoped: true },
  linkDevice: { role: "operator", isScoped: true },
  replaceDevice: { role: "operator", isScoped: true },
  restoreEntity: { role: "admin", isScoped: false },
  retryDeadLetters: { role: "operator", isScoped: true },
  revokeDeviceToken: { role: "admin", isScoped: true },
  shelveEvents: { role: "operator", isScoped: true },
  unshelveEvents: { role: "operator", isScoped: true },
  testRule: { role: "admin", isScoped: false },
  updateActivity: { role: "operator", isScoped: true },
  updateAsset: { role: "operator", isScoped: true },
  updateDevice: { role: "operator", isScoped: true },
  updateEntities: { role: "operator", isScoped: true },
  updatePerson: { role: "operator", isScoped: true },
  updateRule: { role: "admin", isScoped: false },
  updateSpace: { role: "operator", isScoped: true },
} as const satisfies Record<string, Permission>;

export type Mutation = keyof typeof PERMISSIONS;

// Each includes those before it.
const ROLES: readonly Role[] = ["viewer", "operator", "admin"];

/** Return why a session may not make a change; null: it may. */
export function refusalOf(session: Pick<Session, "role" | "under">, mutation: Mutation): string | null {
  const { role, isScoped } = PERMISSIONS[mutation];
  if (session.role === null || ROLES.indexOf(session.role) < ROLES.indexOf(role)) {
    return `This needs the role ${role}; you are signed in as ${session.role ?? "nobody"}.`;
  }
  if (session.under !== null && !isScoped) return "This concerns the whole organization; your session is confined to a part of it.";
  return null;
}
