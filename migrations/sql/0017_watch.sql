-- What follows from points and links beyond formulas: rules judge, rollups count. Whoever is judged or counted has its
-- windows too, and so has whatever a changed edge moves.

-- Whether anything in an organization follows from points besides formulas.
CREATE FUNCTION organization_watches(organization integer) RETURNS boolean LANGUAGE sql STABLE
    SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM public.rules r WHERE r.organization_id = organization)
        OR EXISTS (SELECT FROM public.rollups u WHERE u.organization_id = organization)
$$;

-- Over which valid time the belief before a version of an edge and the one after it differ; NULL: told by another row.
-- Asked at the end of the transaction, when it is known what a closed version was closed for.
CREATE FUNCTION edge_difference(of_edge public.entity_edges, is_new boolean) RETURNS tstzmultirange LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public, pg_temp AS $$
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

-- A window for an entity over each span of a multirange, within the time in which there can be readings.
CREATE FUNCTION windows_note(organization integer, entity uuid, dirty tstzmultirange, why text) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
    SELECT organization, entity, u.b, u.e, why
    FROM unnest(dirty) AS d (span)
    CROSS JOIN LATERAL (SELECT greatest(lower(d.span), '1970-01-01Z'::timestamptz) AS b,
        least(coalesce(upper(d.span), 'infinity'), '9999-01-01Z'::timestamptz) AS e) u
    WHERE u.b < u.e
$$;

-- As before; and where something is watched, any link of an asset or a space.
CREATE OR REPLACE FUNCTION windows_of_link() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    dirty tstzmultirange := public.edge_difference(NEW, TG_OP = 'INSERT');
    source record;
BEGIN
    IF dirty IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT e.kind, e.type INTO source FROM public.entities e
    WHERE e.organization_id = NEW.organization_id AND e.id = NEW.source_id;
    IF public.type_derives(NEW.organization_id, source.kind, source.type)
            OR public.organization_watches(NEW.organization_id) THEN
        PERFORM public.windows_note(NEW.organization_id, NEW.source_id, dirty, 'link');
        PERFORM public.derivation_touch(NEW.organization_id);
    END IF;
    RETURN NULL;
END $$;

-- An edge over which something lies below something else, made, ended, moved or taken back: both its ends.
CREATE FUNCTION windows_of_hierarchy() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    dirty tstzmultirange;
BEGIN
    IF NOT public.organization_watches(NEW.organization_id) THEN
        RETURN NULL;
    END IF;
    IF NEW.relationship NOT IN ('LOCATED_IN', 'TARGETS', 'MONITORED_BY', 'CONTROLLED_BY') AND NOT EXISTS (
        SELECT FROM public.relationships r
        WHERE r.organization_id = NEW.organization_id AND r.name = NEW.relationship AND r.hierarchy
    ) THEN
        RETURN NULL;
    END IF;
    dirty := public.edge_difference(NEW, TG_OP = 'INSERT');
    IF dirty IS NOT NULL THEN
        PERFORM public.windows_note(NEW.organization_id, NEW.source_id, dirty, 'hierarchy');
        PERFORM public.windows_note(NEW.organization_id, NEW.target_id, dirty, 'hierarchy');
        PERFORM public.derivation_touch(NEW.organization_id);
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER windows_of_hierarchy AFTER INSERT OR UPDATE OF recorded ON entity_edges
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION windows_of_hierarchy();

REVOKE ALL ON FUNCTION organization_watches(integer), edge_difference(public.entity_edges, boolean),
    windows_note(integer, uuid, tstzmultirange, text), windows_of_hierarchy() FROM PUBLIC;
