import {
  createHashHistory,
  createRootRoute,
  createRoute,
  createRouter,
  type RouteComponent,
  retainSearchParams,
} from "@tanstack/react-router";
import type { Search } from "./time/moment";
import { NotFound, PageFailed } from "./shell/NotFound";
import { lazyPage } from "./shell/lazyPage";
import { Shell } from "./shell/Shell";

const root = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
  errorComponent: PageFailed,
  validateSearch: (search: Record<string, unknown>): Search =>
    Object.fromEntries(
      Object.entries(search)
        .filter(([, value]) => value !== undefined && value !== null && value !== "")
        .map(([key, value]) => [key, String(value)]),
    ),
  search: { middlewares: [retainSearchParams(["at", "known"])] },
});

const page = <P extends string>(path: P, component: RouteComponent) =>
  createRoute({ getParentRoute: () => root, path, component });

const routeTree = root.addChildren([
  page("/", lazyPage(() => import("./overview/OverviewPage"), "OverviewPage")),
  page("/devices", lazyPage(() => import("./devices/DevicesPage"), "DevicesPage")),
  page("/devices/$id", lazyPage(() => import("./devices/DevicePage"), "DevicePage")),
  page("/assets", lazyPage(() => import("./assets/AssetsPage"), "AssetsPage")),
  page("/assets/$id", lazyPage(() => import("./assets/AssetPage"), "AssetPage")),
  page("/spaces", lazyPage(() => import("./spaces/SpacesPage"), "SpacesPage")),
  page("/spaces/$id", lazyPage(() => import("./spaces/SpacePage"), "SpacePage")),
  page("/alarms", lazyPage(() => import("./alarms/AlarmsPage"), "AlarmsPage")),
  page("/rules", lazyPage(() => import("./rules/list/RulesPage"), "RulesPage")),
  page("/rules/new", lazyPage(() => import("./rules/edit/EditPages"), "NewRulePage")),
  page("/rules/$id", lazyPage(() => import("./rules/detail/RulePage"), "RulePage")),
  page("/rules/$id/edit", lazyPage(() => import("./rules/edit/EditPages"), "EditRulePage")),
  page("/changes", lazyPage(() => import("./changes/ChangesPage"), "ChangesPage")),
  page("/graph", lazyPage(() => import("./graph/GraphPage"), "GraphPage")),
  page("/entities/$id", lazyPage(() => import("./pages/EntityPage"), "EntityPage")),
]);

export const router = createRouter({
  routeTree,
  history: createHashHistory(),
  defaultPreload: "intent",
  scrollRestoration: true,
  // Parameters are plain texts in the address: a person can read and write it.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const entries = Object.entries(search).filter(([, value]) => value !== undefined && value !== "");
    const text = new URLSearchParams(entries.map(([key, value]) => [key, String(value)])).toString();
    return text === "" ? "" : `?${text}`;
  },
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
