import { useMemo, useState } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { useHolding } from "../edges/useHolding";
import { versionsOf } from "../edges/versions";
import { coordinatesOf } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { PageName } from "../ui/PageName";
import { Picker } from "../ui/Picker";
import { Empty, Failed, Loading, PageMissing } from "../ui/States";
import { GraphCanvas } from "./GraphCanvas";
import { GraphList } from "./GraphList";
import { LinkPanel } from "./LinkPanel";
import { graphOf, NODES_MOST } from "./model";
import { useVersions } from "./useVersions";
import { useView } from "./useView";
import "./graph.css";

const ROOT = graphql(`
  query GraphRoot($id: ID!) {
    entity(id: $id) {
      id
      kind
      name
      type
    }
  }
`);

const PATH = graphql(`
  query GraphPath($fromId: ID!, $toId: ID!, $asOf: DateTime, $knownAt: DateTime) {
    path(fromId: $fromId, toId: $toId, asOf: $asOf, knownAt: $knownAt) {
      length
      nodes {
        id
        kind
        name
        type
      }
      edges {
        id
        edgeId
        relationship
        port
        exclusive
        metadata
        validFrom
        validUntil
        recordedAt
        retractedAt
        source {
          id
          kind
          name
          type
        }
        target {
          id
          kind
          name
          type
        }
      }
    }
    end: entity(id: $toId) {
      id
      kind
      name
      type
    }
  }
`);

const NOBODY = "00000000-0000-0000-0000-000000000000";

/**
 * The graph from one entity outward: its neighbours, theirs, and the way between two.
 *
 * Two requests, one more where there is a path; none while the thumb of the time bar moves.
 */
export function GraphPage() {
  const view = useView();
  const { moment } = useMoment();
  const [edgeId, setEdgeId] = useState<string | null>(null);
  const [entityId, setEntityId] = useState<string | null>(null);
  const root = useApi(ROOT, { id: view.root ?? NOBODY }, { enabled: view.root !== null, keep: (before) => before.id === view.root });
  const path = useApi(PATH, { fromId: view.root ?? NOBODY, toId: view.to ?? NOBODY, ...coordinatesOf(moment) }, { enabled: view.root !== null && view.to !== null, keep: true });
  const entity = root.data?.entity ?? null;
  const loaded = useVersions(entity === null ? [] : [entity.id, ...view.expanded]);
  const way = view.to === null ? null : (path.data?.path ?? null);
  const versions = useMemo(() => {
    const own = new Map(loaded.versions.map((version) => [version.id, version]));
    for (const version of versionsOf(way?.edges ?? [])) if (!own.has(version.id)) own.set(version.id, version);
    return [...own.values()];
  }, [loaded.versions, way]);
  const { holding, asOf, knownAt } = useHolding(versions);
  const model = useMemo(
    () =>
      graphOf(
        {
          root: view.root ?? "",
          expanded: view.root === null ? [] : [view.root, ...view.expanded],
          opened: view.opened,
          included: [...(entity === null ? [] : [entity]), ...(way?.nodes ?? [])],
        },
        versions,
      ),
    [view.root, view.expanded, view.opened, entity, way, versions],
  );
  const valid = useMemo(() => new Set(holding.map((version) => version.id)), [holding]);
  const onPath = useMemo(() => new Set((way?.nodes ?? []).map((node) => node.id)), [way]);

  if (view.root === null) {
    return (
      <div className="stack">
        <PageName name="Graph" />
        <Empty title="Where does it begin?">
          <p>Choose a device, an asset, a space, a person or an activity. Its neighbours are shown, and theirs as you expand them.</p>
        </Empty>
        <div className="graph-begin">
          <Picker label="Begin at" value={null} onChoose={(choice) => view.begin(choice?.id ?? null)} />
        </div>
      </div>
    );
  }
  if (root.data !== undefined && entity === null) return <PageMissing what="entity" faults={root.faults} />;
  const line = edgeId === null ? null : (model.lines.find((candidate) => candidate.versions.some((version) => version.edgeId === edgeId))?.key ?? null);
  const chooseLine = (key: string) => {
    const chosen = model.lines.find((candidate) => candidate.key === key);
    const version = chosen?.versions.find((candidate) => valid.has(candidate.id)) ?? chosen?.versions[0];
    setEdgeId(version?.edgeId ?? null);
  };
  const ofEdge = edgeId === null ? [] : versions.filter((version) => version.edgeId === edgeId);
  return (
    <div className="stack">
      <header className="page-head">
        <PageName name={entity === null ? "Graph" : `Graph from ${entity.name}`} />
        <span className="muted number" role="status">
          {model.nodes.length.toLocaleString("en")} nodes, {holding.length.toLocaleString("en")} of {versions.length.toLocaleString("en")} versions of links hold at the moment shown
          {loaded.versions.length < loaded.total ? `; ${loaded.versions.length.toLocaleString("en")} of ${loaded.total.toLocaleString("en")} versions loaded` : ""}
        </span>
      </header>
      <div className="bar graph-bar">
        <Picker label="Path to" value={view.to === null ? null : (path.data?.end ?? null)} without={view.root} onChoose={(choice) => view.pathTo(choice?.id ?? null)} />
        <span className="spring" />
        <button type="button" className="button" onClick={view.reset} disabled={view.expanded.length === 0 && view.opened.size === 0 && view.to === null}>
          Collapse all
        </button>
        <button type="button" className="button" onClick={() => view.begin(null)}>
          Begin elsewhere
        </button>
      </div>
      <Failed faults={[...(root.error?.faults ?? []), ...loaded.faults]} retry={() => { loaded.retry(); void root.refetch(); }} />
      <Failed faults={path.error?.faults ?? []} retry={() => void path.refetch()} />
      {view.to !== null && path.data && !path.isPlaceholderData && (
        <p role="status">
          {way === null
            ? `No path to ${path.data.end?.name ?? "it"} at the moment shown.`
            : `${way.length.toLocaleString("en")} ${way.length === 1 ? "link" : "links"}: ${way.nodes.map((node) => node.name).join(" → ")}`}
        </p>
      )}
      {model.left > 0 && (
        <p className="muted" role="status">
          {NODES_MOST.toLocaleString("en")} entities are shown, {model.left.toLocaleString("en")} are not: collapse what you do not need.
        </p>
      )}
      {loaded.isLoading && versions.length === 0 ? (
        <Loading what="the graph" rows={6} />
      ) : (
        <div className="graph-columns">
          <GraphCanvas
            model={model}
            root={view.root}
            holding={valid}
            path={onPath}
            chosenLine={line}
            chosenEntity={entityId}
            onEntity={setEntityId}
            onExpand={view.expand}
            onOpen={view.open}
            onLine={chooseLine}
          />
          <div className="stack">
            {ofEdge.length > 0 && <LinkPanel versions={ofEdge} asOf={asOf} knownAt={knownAt} onClose={() => setEdgeId(null)} />}
            <GraphList model={model} holding={holding} opened={view.opened} onExpand={view.expand} onCollapse={view.collapse} onOpen={view.open} onEdge={setEdgeId} />
          </div>
        </div>
      )}
    </div>
  );
}
