-- Functions that search the graph's indexes as the owner. Under row-level security PostgreSQL uses an index only by
-- operators that are marked leakproof, and those of boxes, ranges and trigrams are not. Each function reads one
-- organization, and finds nothing where that is not the transaction's own. The rows that they find are then read under
-- row-level security.

-- Entities whose bounding box overlaps one of two boxes.
CREATE OR REPLACE FUNCTION entities_in_boxes(
    organization integer, first box, second box, OUT id uuid, OUT kind text, OUT geometry bytea)
    RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT e.id, e.kind, e.geometry FROM public.entities e
    WHERE e.organization_id = organization AND organization = (SELECT public.current_organization())
        AND e.deleted_at IS NULL AND e.bounds IS NOT NULL AND (e.bounds && first OR e.bounds && second)
        AND ((SELECT public.is_unscoped()) OR e.id IN (SELECT public.current_scope()))
$$;

-- Entities whose name or external id, folded, matches a LIKE pattern.
CREATE OR REPLACE FUNCTION entities_named_like(organization integer, pattern text) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT e.id FROM public.entities e
    WHERE e.organization_id = organization AND organization = (SELECT public.current_organization())
        AND e.deleted_at IS NULL AND (public.text_folded(e.name) LIKE pattern OR public.text_folded(e.external_id) LIKE pattern)
        AND ((SELECT public.is_unscoped()) OR e.id IN (SELECT public.current_scope()))
$$;

-- The entities whose name or external id contains a text, folded, the best first: whose external id it is, whose name,
-- that begin with it, in which a word begins with it, and others; equally good ones by name. At most 20,000 are
-- ranked, besides those named exactly so: a text that more contain is too short to find one by.
CREATE OR REPLACE FUNCTION entities_searched(organization integer, search text, of_kinds text[], most integer)
    RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH sought AS MATERIALIZED (
        SELECT public.text_folded(search) AS folded,
            '(^|[^[:alnum:]])' || regexp_replace(public.text_folded(search), '([^[:alnum:]])', '\\\1', 'g') AS word
    ), matching AS MATERIALIZED (
        (SELECT e.id, e.name, e.external_id FROM public.entities e
        WHERE e.organization_id = organization AND organization = (SELECT public.current_organization())
            AND e.deleted_at IS NULL AND e.kind = ANY (of_kinds) AND (e.name = search OR e.external_id = search)
            AND ((SELECT public.is_unscoped()) OR e.id IN (SELECT public.current_scope()))
        LIMIT 20000)
        UNION
        (SELECT e.id, e.name, e.external_id FROM public.entities e
        WHERE e.organization_id = organization AND organization = (SELECT public.current_organization())
            AND e.deleted_at IS NULL AND e.kind = ANY (of_kinds)
            AND (public.text_folded(e.name) LIKE public.search_pattern(search)
                OR public.text_folded(e.external_id) LIKE public.search_pattern(search))
            AND ((SELECT public.is_unscoped()) OR e.id IN (SELECT public.current_scope()))
        LIMIT 20000)
    ), folded AS MATERIALIZED (
        SELECT m.id, m.name, public.text_folded(m.name) AS name_folded,
            public.text_folded(m.external_id) AS external_id_folded FROM matching m
    )
    SELECT r.id FROM (
        SELECT f.id, f.name, CASE
            WHEN f.external_id_folded = s.folded THEN 1
            WHEN f.name_folded = s.folded THEN 2
            WHEN starts_with(f.name_folded, s.folded) OR starts_with(f.external_id_folded, s.folded) THEN 3
            WHEN f.name_folded ~ s.word OR f.external_id_folded ~ s.word THEN 4
            ELSE 5 END AS rank
        FROM folded f CROSS JOIN sought s
    ) r ORDER BY r.rank, r.name, r.id LIMIT most
$$;

-- The links of the entities in the access scope, ended ones too, as believed now. A device that has left the scope is no
-- longer seen, nor are its edges; what it measured for an entity of the scope is attributed by its link all the same.
CREATE OR REPLACE FUNCTION links_of_scope(organization integer, OUT source_id uuid, OUT target_id uuid,
    OUT port integer, OUT metadata jsonb, OUT valid tstzrange)
    RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT e.source_id, e.target_id, e.port, e.metadata, e.valid FROM public.entity_edges e
    WHERE e.organization_id = organization AND organization = (SELECT public.current_organization())
        AND e.source_id = ANY (ARRAY(SELECT public.current_scope()))
        AND e.relationship IN ('MONITORED_BY', 'CONTROLLED_BY') AND e.target_kind = 'DEVICE' AND upper_inf(e.recorded)
$$;

-- Versions of edges that were recorded (believed) or closed (no longer believed) since an instant, at most so many of
-- each.
CREATE OR REPLACE FUNCTION edges_recorded_since(organization integer, since timestamptz, most integer,
    OUT id uuid, OUT source_id uuid, OUT believed boolean)
    RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    (SELECT e.id, e.source_id, true FROM public.entity_edges e
    WHERE e.organization_id = organization AND organization = (SELECT public.current_organization())
        AND lower(e.recorded) > since AND upper_inf(e.recorded) LIMIT most)
    UNION ALL
    (SELECT e.id, e.source_id, false FROM public.entity_edges e
    WHERE e.organization_id = organization AND organization = (SELECT public.current_organization())
        AND upper(e.recorded) > since LIMIT most)
$$;

-- The valid time over which a version of an edge and the version before it differ. For deferred triggers: only at the
-- end of the transaction is it known whether a closed version has a successor. NULL: another row of the transaction
-- tells it.
CREATE OR REPLACE FUNCTION edge_difference(of_edge public.entity_edges, is_new boolean) RETURNS tstzmultirange
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    earlier public.entity_edges;
    now_valid tstzmultirange := tstzmultirange(of_edge.valid);
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.entity_edges e WHERE e.organization_id = of_edge.organization_id AND e.id = of_edge.id
    ) THEN
        RETURN NULL;
    END IF;
    IF NOT is_new THEN
        IF EXISTS (
            SELECT FROM public.entity_edges e
            WHERE e.organization_id = of_edge.organization_id AND e.edge_id = of_edge.edge_id
                AND lower(e.recorded) = upper(of_edge.recorded)
        ) THEN
            RETURN NULL;
        END IF;
        RETURN now_valid;
    END IF;
    -- Where a change ends no version, as an import does, no index of versions need be searched.
    IF NOT EXISTS (
        SELECT FROM public.entity_edges e
        WHERE e.organization_id = of_edge.organization_id AND upper(e.recorded) = lower(of_edge.recorded)
    ) THEN
        RETURN now_valid;
    END IF;
    SELECT * INTO earlier FROM public.entity_edges e
    WHERE e.organization_id = of_edge.organization_id AND e.edge_id = of_edge.edge_id
        AND upper(e.recorded) = lower(of_edge.recorded);
    IF NOT FOUND THEN
        RETURN now_valid;
    END IF;
    IF (earlier.source_id, earlier.target_id, earlier.relationship, coalesce(earlier.port, -1),
            coalesce(earlier.metadata -> 'metrics_mapping', 'null'))
        = (of_edge.source_id, of_edge.target_id, of_edge.relationship, coalesce(of_edge.port, -1),
            coalesce(of_edge.metadata -> 'metrics_mapping', 'null')) THEN
        RETURN (now_valid - tstzmultirange(earlier.valid)) + (tstzmultirange(earlier.valid) - now_valid);
    END IF;
    RETURN now_valid + tstzmultirange(earlier.valid);
END $$;

REVOKE ALL ON FUNCTION entities_in_boxes(integer, box, box), entities_named_like(integer, text),
    entities_searched(integer, text, text[], integer), edges_recorded_since(integer, timestamptz, integer),
    edge_difference(public.entity_edges, boolean),
    links_of_scope(integer) FROM PUBLIC, argus_api, argus_ingest, argus_pipeline, argus_scoped;
GRANT EXECUTE ON FUNCTION entities_in_boxes(integer, box, box), entities_named_like(integer, text),
    edges_recorded_since(integer, timestamptz, integer) TO argus_api, argus_pipeline;
GRANT EXECUTE ON FUNCTION entities_in_boxes(integer, box, box), entities_named_like(integer, text),
    entities_searched(integer, text, text[], integer), links_of_scope(integer) TO argus_scoped;
GRANT EXECUTE ON FUNCTION entities_searched(integer, text, text[], integer) TO argus_api;
