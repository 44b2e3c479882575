import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { Search } from "../time/moment";
import { HubList } from "./list/HubList";
import type { HubKind, HubSearch } from "./list/hubFilter";
import { HubTree } from "./tree/HubTree";
import "./hub.css";
import { PageName } from "../ui/PageName";

/** Assets or spaces, as a list or as a tree; which of them is in the address (`view`). */
export function HubPage({ kind }: { kind: HubKind }) {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const isTree = search.view === "tree";
  const change = (part: Record<string, string | undefined>) =>
    void navigate({ to: ".", search: (before: Search) => ({ ...before, ...part }), replace: true });
  return (
    <div className="stack">
      <header className="hub-head">
        <PageName name={kind === "ASSET" ? "Assets" : "Spaces"} />
        <nav className="bar" aria-label="View">
          <Link className="button" to="." search={(before: Search) => ({ ...before, view: undefined })} aria-current={isTree ? undefined : "true"} data-on={!isTree}>
            List
          </Link>
          <Link className="button" to="." search={(before: Search) => ({ ...before, view: "tree" })} aria-current={isTree ? "true" : undefined} data-on={isTree}>
            Tree
          </Link>
        </nav>
      </header>
      {isTree ? <HubTree kind={kind} /> : <HubList kind={kind} search={search as HubSearch} onSearch={change} />}
    </div>
  );
}
