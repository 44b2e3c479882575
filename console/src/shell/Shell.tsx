import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { PastBanner, TimeBar } from "./TimeBar";
import { useMoment } from "../time/useMoment";
import { useKeys } from "../ui/keys";
import { Loading } from "../ui/States";
import { Toasts } from "../ui/Toasts";
import { ConnectionBadge } from "./ConnectionBadge";
import { OpenAlarms } from "./OpenAlarms";
import { UserMenu } from "./UserMenu";

const Palette = lazy(() => import("./Palette"));
const KeysHelp = lazy(() => import("./KeysHelp"));

const PAGES = [
  { to: "/", key: "o", label: "Overview", sign: "◎" },
  { to: "/devices", key: "d", label: "Devices", sign: "▣" },
  { to: "/assets", key: "a", label: "Assets", sign: "⚙" },
  { to: "/spaces", key: "s", label: "Spaces", sign: "⌂" },
  { to: "/alarms", key: "e", label: "Alarms", sign: "△" },
  { to: "/rules", key: "r", label: "Rules", sign: "§" },
  { to: "/graph", key: "g", label: "Graph", sign: "⋔" },
  { to: "/changes", key: "h", label: "Changes", sign: "⇄" },
] as const;

/** What is around every page: top bar, time bar, navigation. */
export function Shell() {
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  const [isHelpOpen, setHelpOpen] = useState(false);
  const navigate = useNavigate();
  const { moment } = useMoment();
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  useEffect(() => {
    // A new page begins at its heading for those who hear it.
    main.current?.focus({ preventScroll: true });
  }, [path]);
  useKeys({
    "Control+k": { label: "Search everything", run: () => setPaletteOpen(true) },
    "/": { label: "Search the list", run: focusSearch },
    "?": { label: "Show the keys", run: () => setHelpOpen(true) },
    ...Object.fromEntries(
      PAGES.map((page) => [`g ${page.key}`, { label: `Go to ${page.label}`, run: () => void navigate({ to: page.to }) }]),
    ),
  });
  return (
    <div className="shell" data-past={moment.mode !== "live"}>
      <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>
        Skip to the page
      </a>
      <header className="top">
        <Link to="/" className="brand">
          Argus
        </Link>
        <button type="button" className="button search-button" onClick={() => setPaletteOpen(true)}>
          Search <kbd>Ctrl K</kbd>
        </button>
        <span className="spring" />
        <OpenAlarms />
        <ConnectionBadge />
        <UserMenu onKeys={() => setHelpOpen(true)} />
      </header>
      <TimeBar />
      <PastBanner />
      <nav className="navigation" aria-label="Pages">
        {PAGES.map((page) => (
          <Link key={page.to} to={page.to} activeOptions={{ exact: page.to === "/" , includeSearch: false }} title={`${page.label} ( g ${page.key} )`}>
            <span aria-hidden="true">{page.sign}</span>
            {page.label}
          </Link>
        ))}
      </nav>
      <main id="main" ref={main} tabIndex={-1}>
        {/* A page is mounted again at another address: no state of one entity is kept for the next. */}
        <Suspense key={path} fallback={<Loading what="the page" />}>
          <Outlet />
        </Suspense>
      </main>
      <Toasts />
      <Suspense fallback={null}>
        {isPaletteOpen && <Palette pages={PAGES} onClose={() => setPaletteOpen(false)} />}
        {isHelpOpen && <KeysHelp onClose={() => setHelpOpen(false)} />}
      </Suspense>
    </div>
  );
}

function focusSearch(): void {
  document.querySelector<HTMLInputElement>("main input[type=search]")?.focus();
}
