import { Link, useSearch } from "@tanstack/react-router";
import type { Search } from "../time/moment";

type Tab<T extends string> = { id: T; label: string };

/** The tab in the address (`tab`); the first where it names none of them. */
export function useTab<T extends string>(tabs: readonly Tab<T>[]): T {
  const { tab } = useSearch({ strict: false }) as Search;
  const first = tabs[0] as Tab<T>;
  return (tabs.find(({ id }) => id === tab) ?? first).id;
}

/** The parts of a page as links: each has an address of its own, and back goes to the one before. */
export function Tabs<T extends string>({ label, tabs, current }: { label: string; tabs: readonly Tab<T>[]; current: T }) {
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map((tab) => (
        <Link
          key={tab.id}
          to="."
          search={(before: Search) => ({ ...before, tab: tab.id === tabs[0]?.id ? undefined : tab.id })}
          activeOptions={{ exact: true }}
          aria-current={tab.id === current ? "page" : undefined}
          activeProps={{}}
        >
          {tab.label}
        </Link>
      ))}
    </nav>
  );
}
