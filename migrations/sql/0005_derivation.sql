-- Derived metrics. Whatever changes what they are derived from, readings, links or configuration, leaves a dirty window:
-- an entity and a time over which its derived points must be made again. Readings leave theirs in the transaction that
-- stores them; edits leave theirs by the triggers below, so that there is no way to edit around them.

-- The revision at which links or configuration of anything derived last changed.
ALTER TABLE graph_clocks ADD COLUMN derivation_revision bigint NOT NULL DEFAULT 0;

-- A derived point was never received.
ALTER TABLE latest_values ALTER COLUMN received_at DROP NOT NULL;

CREATE TABLE dirty_windows (
    organization_id integer NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    entity_id uuid NOT NULL,
    -- Where the entity goes in the streams: this modulo the number of partitions.
    slot integer NOT NULL GENERATED ALWAYS AS
        (get_byte(uuid_send(entity_id), 14) * 256 + get_byte(uuid_send(entity_id), 15)) STORED,
    -- Half-open, in event time.
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL,
    reason text NOT NULL,
    -- Of readings: the first of the batches they were stored with, whose points come by the bus too.
    batch_id bigint,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_dirty_windows PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_dirty_windows_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_dirty_windows_reason CHECK (reason IN ('readings', 'link', 'schema', 'type', 'replay')),
    CONSTRAINT ck_dirty_windows_span CHECK (begins < ends)
);
CREATE INDEX ix_dirty_windows_entity ON dirty_windows (organization_id, entity_id);

-- What a commit of the derive stage changed: a place in the live feed, from which it can be read again.
CREATE TABLE derived_commits (
    organization_id integer NOT NULL,
    partition smallint NOT NULL,
    position bigint NOT NULL,
    committed_at timestamptz NOT NULL,
    series_ids bigint[] NOT NULL,
    begins timestamptz[] NOT NULL,
    ends timestamptz[] NOT NULL,
    -- Points that stood before were changed or taken away.
    corrects boolean NOT NULL,
    CONSTRAINT pk_derived_commits PRIMARY KEY (organization_id, partition, position),
    CONSTRAINT fk_derived_commits_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE INDEX ix_derived_commits_committed_at ON derived_commits (organization_id, committed_at);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['dirty_windows', 'derived_commits'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY organization_wall ON %I TO argus_api, argus_pipeline'
            ' USING (organization_id = (SELECT current_organization()))'
            ' WITH CHECK (organization_id = (SELECT current_organization()))', name);
    END LOOP;
END $$;
-- As with batches: the pipeline has to know where work waits.
CREATE POLICY pipeline_lists ON dirty_windows FOR SELECT TO argus_pipeline USING (true);
GRANT SELECT ON dirty_windows, derived_commits TO argus_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON dirty_windows TO argus_pipeline;
GRANT SELECT, INSERT, DELETE ON derived_commits TO argus_pipeline;

-- Whether anything was ever derived for things of a type.
CREATE FUNCTION type_derives(organization integer, of_kind text, of_type text) RETURNS boolean LANGUAGE sql STABLE
    SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM public.entity_types t
        JOIN public.telemetry_schemas s ON s.organization_id = t.organization_id AND s.entity_type_id = t.id
        WHERE t.organization_id = organization AND t.kind = of_kind AND t.name = of_type AND s.schema ? 'derived')
$$;

CREATE FUNCTION derivation_touch(organization integer) RETURNS void LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE public.graph_clocks SET derivation_revision = revision
    WHERE organization_id = organization AND derivation_revision < revision
$$;

-- A link that was made, ended, moved or taken back: where the old belief and the new one differ. Runs at the end of the
-- transaction, when it is known what a closed version was closed for.
CREATE FUNCTION windows_of_link() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    earlier public.entity_edges;
    dirty tstzmultirange;
    source record;
BEGIN
    IF NOT EXISTS (SELECT FROM public.entity_edges e WHERE e.organization_id = NEW.organization_id AND e.id = NEW.id) THEN
        RETURN NULL;
    END IF;
    SELECT e.kind, e.type INTO source FROM public.entities e
    WHERE e.organization_id = NEW.organization_id AND e.id = NEW.source_id;
    IF NOT public.type_derives(NEW.organization_id, source.kind, source.type) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        SELECT * INTO earlier FROM public.entity_edges e
        WHERE e.organization_id = NEW.organization_id AND e.edge_id = NEW.edge_id
            AND upper(e.recorded) = lower(NEW.recorded);
        dirty := tstzmultirange(NEW.valid);
        IF FOUND THEN
            IF (earlier.source_id, earlier.target_id, earlier.relationship, coalesce(earlier.port, -1),
                    coalesce(earlier.metadata -> 'metrics_mapping', 'null'))
                = (NEW.source_id, NEW.target_id, NEW.relationship, coalesce(NEW.port, -1),
                    coalesce(NEW.metadata -> 'metrics_mapping', 'null')) THEN
                dirty := (dirty - tstzmultirange(earlier.valid)) + (tstzmultirange(earlier.valid) - dirty);
            ELSE
                dirty := dirty + tstzmultirange(earlier.valid);
            END IF;
        END IF;
    ELSIF EXISTS (
        SELECT FROM public.entity_edges e
        WHERE e.organization_id = NEW.organization_id AND e.edge_id = NEW.edge_id
            AND lower(e.recorded) = upper(NEW.recorded)) THEN
        RETURN NULL;
    ELSE
        dirty := tstzmultirange(NEW.valid);
    END IF;
    INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
    SELECT NEW.organization_id, NEW.source_id, u.b, u.e, 'link'
    FROM unnest(dirty) AS d (span)
    CROSS JOIN LATERAL (SELECT greatest(lower(d.span), '1970-01-01Z'::timestamptz) AS b,
        least(coalesce(upper(d.span), 'infinity'), '9999-01-01Z'::timestamptz) AS e) u
    WHERE u.b < u.e;
    PERFORM public.derivation_touch(NEW.organization_id);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER windows_of_link AFTER INSERT OR UPDATE OF recorded ON entity_edges
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.relationship IN ('MONITORED_BY', 'CONTROLLED_BY')) EXECUTE FUNCTION windows_of_link();

-- A version of a schema that was put in force, changed or taken away: from then on until the next version.
CREATE FUNCTION windows_of_schema() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    at public.telemetry_schemas;
    was jsonb;
BEGIN
    at := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    IF TG_OP = 'INSERT' THEN
        SELECT s.schema INTO was FROM public.telemetry_schemas s
        WHERE s.organization_id = at.organization_id AND s.entity_type_id = at.entity_type_id
            AND s.effective_from < at.effective_from
        ORDER BY s.effective_from DESC LIMIT 1;
    ELSE
        was := OLD.schema;
    END IF;
    IF TG_OP <> 'DELETE' AND (was -> 'derived') IS NOT DISTINCT FROM (NEW.schema -> 'derived') THEN
        RETURN NULL;
    END IF;
    INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
    SELECT e.organization_id, e.id, greatest(at.effective_from, '1970-01-01Z'::timestamptz), coalesce((
            SELECT min(s.effective_from) FROM public.telemetry_schemas s
            WHERE s.organization_id = at.organization_id AND s.entity_type_id = at.entity_type_id
                AND s.effective_from > at.effective_from), '9999-01-01Z'::timestamptz), 'schema'
    FROM public.entity_types t
    JOIN public.entities e ON e.organization_id = t.organization_id AND e.kind = t.kind AND e.type = t.name
    WHERE t.organization_id = at.organization_id AND t.id = at.entity_type_id
        AND at.effective_from < '9999-01-01Z'::timestamptz;
    PERFORM public.derivation_touch(at.organization_id);
    RETURN NULL;
END $$;
CREATE TRIGGER windows_of_schema AFTER INSERT OR DELETE OR UPDATE ON telemetry_schemas
    FOR EACH ROW EXECUTE FUNCTION windows_of_schema();

-- A thing that became of another type.
CREATE FUNCTION windows_of_type() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF public.type_derives(NEW.organization_id, NEW.kind, OLD.type)
            OR public.type_derives(NEW.organization_id, NEW.kind, NEW.type) THEN
        INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
        VALUES (NEW.organization_id, NEW.id, '1970-01-01Z', '9999-01-01Z', 'type');
        PERFORM public.derivation_touch(NEW.organization_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER windows_of_type AFTER UPDATE OF type ON entities
    FOR EACH ROW WHEN (OLD.type IS DISTINCT FROM NEW.type) EXECUTE FUNCTION windows_of_type();

REVOKE ALL ON FUNCTION type_derives(integer, text, text), derivation_touch(integer), windows_of_link(),
    windows_of_schema(), windows_of_type() FROM PUBLIC;

-- What stages have done, beside who runs them.
ALTER TABLE stage_leases ADD COLUMN items bigint NOT NULL DEFAULT 0, ADD COLUMN errors bigint NOT NULL DEFAULT 0,
    ADD COLUMN busy_s double precision NOT NULL DEFAULT 0, ADD COLUMN delay_s double precision NOT NULL DEFAULT 0,
    ADD COLUMN delays bigint NOT NULL DEFAULT 0;

-- As before, with what stages have done and what waits to be derived.
ALTER FUNCTION pipeline_state() RENAME TO stages_state;
REVOKE ALL ON FUNCTION stages_state() FROM argus_api;
CREATE FUNCTION pipeline_state(OUT name text, OUT labels jsonb, OUT value double precision) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT s.name, s.labels, s.value FROM public.stages_state() s
    UNION ALL
    SELECT m.name, jsonb_build_object('stage', l.stage, 'partition', l.partition::text), m.value
    FROM public.stage_leases l
    CROSS JOIN LATERAL (VALUES ('argus_stage_items_total', l.items), ('argus_stage_errors_total', l.errors),
        ('argus_stage_busy_seconds_total', l.busy_s), ('argus_stage_delay_seconds_total', l.delay_s),
        ('argus_stage_delays_total', l.delays)) AS m (name, value)
    UNION ALL
    SELECT 'argus_dirty_windows', jsonb_build_object('reason', reason), count(*) FROM public.dirty_windows GROUP BY reason
    UNION ALL
    SELECT 'argus_dirty_window_age_seconds', jsonb_build_object('reason', reason),
        greatest(extract(epoch FROM clock_timestamp() - min(created_at)), 0)
    FROM public.dirty_windows GROUP BY reason
$$;
REVOKE ALL ON FUNCTION pipeline_state() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pipeline_state() TO argus_api;
