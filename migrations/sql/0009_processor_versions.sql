-- Versions of a stage. Which is in force is configuration, by event time and organization; one more may run in shadow,
-- by feature flag: it writes how it differs, and never the series.

-- What an organization has set; a flag that was never set has its default, which the code knows.
CREATE TABLE feature_flags (
    organization_id integer NOT NULL,
    name text NOT NULL,
    id uuid NOT NULL,
    value jsonb NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL,
    CONSTRAINT pk_feature_flags PRIMARY KEY (organization_id, name),
    CONSTRAINT fk_feature_flags_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);

-- Event time from effective_from on is processed with this version, until that of the next row; before the first: 1.
CREATE TABLE processor_versions (
    organization_id integer NOT NULL,
    stage text NOT NULL,
    effective_from timestamptz NOT NULL,
    id uuid NOT NULL,
    version integer NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL,
    CONSTRAINT pk_processor_versions PRIMARY KEY (organization_id, stage, effective_from),
    CONSTRAINT fk_processor_versions_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_processor_versions_version CHECK (version >= 1)
);

-- What a stage's shadow has done since it began. One row while it runs.
CREATE TABLE shadows (
    organization_id integer NOT NULL,
    stage text NOT NULL,
    version integer NOT NULL,
    since timestamptz NOT NULL,
    -- Points looked at, each time they were.
    compared bigint NOT NULL DEFAULT 0,
    -- Rows of shadow_differences.
    different bigint NOT NULL DEFAULT 0,
    -- Differences that were found when as many were kept as may be.
    omitted bigint NOT NULL DEFAULT 0,
    errors bigint NOT NULL DEFAULT 0,
    last_error text,
    CONSTRAINT pk_shadows PRIMARY KEY (organization_id, stage),
    CONSTRAINT fk_shadows_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);

-- Where the version in shadow gives another value than the one in force, or one of them none.
CREATE TABLE shadow_differences (
    organization_id integer NOT NULL,
    stage text NOT NULL,
    entity_id uuid NOT NULL,
    metric text NOT NULL,
    "timestamp" timestamptz NOT NULL,
    version integer NOT NULL,
    value double precision,
    shadow_version integer NOT NULL,
    shadow_value double precision,
    CONSTRAINT pk_shadow_differences PRIMARY KEY (organization_id, stage, entity_id, "timestamp", metric),
    CONSTRAINT fk_shadow_differences_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE INDEX ix_shadow_differences_timestamp
    ON shadow_differences (organization_id, stage, "timestamp", entity_id, metric);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['feature_flags', 'processor_versions', 'shadows', 'shadow_differences'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY organization_wall ON %I TO argus_api, argus_pipeline'
            ' USING (organization_id = (SELECT current_organization()))'
            ' WITH CHECK (organization_id = (SELECT current_organization()))', name);
    END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE ON feature_flags, processor_versions TO argus_api;
GRANT SELECT ON shadows, shadow_differences TO argus_api;
GRANT SELECT ON feature_flags, processor_versions TO argus_pipeline;
GRANT SELECT, UPDATE (compared, different, omitted, errors, last_error) ON shadows TO argus_pipeline;
GRANT SELECT, INSERT, DELETE ON shadow_differences TO argus_pipeline;

ALTER TABLE dirty_windows DROP CONSTRAINT ck_dirty_windows_reason;
ALTER TABLE dirty_windows ADD CONSTRAINT ck_dirty_windows_reason
    CHECK (reason IN ('readings', 'link', 'schema', 'type', 'replay', 'processor', 'shadow'));

-- A window over [since, until) for every entity of which anything was ever derived; returns how many.
CREATE FUNCTION windows_of_all(organization integer, since timestamptz, until timestamptz, why text) RETURNS bigint
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
    WITH noted AS (
        INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
        SELECT e.organization_id, e.id, u.b, u.e, why
        FROM (SELECT greatest(since, '1970-01-01Z'::timestamptz) AS b,
            least(until, '9999-01-01Z'::timestamptz) AS e) u
        JOIN public.entity_types t ON t.organization_id = organization
        JOIN public.entities e ON e.organization_id = t.organization_id AND e.kind = t.kind AND e.type = t.name
        WHERE u.b < u.e AND EXISTS (
            SELECT FROM public.telemetry_schemas s
            WHERE s.organization_id = t.organization_id AND s.entity_type_id = t.id AND s.schema ? 'derived')
        RETURNING 1
    )
    SELECT count(*) FROM noted
$$;

-- A version of the derive stage that was put in force or replaced by another: from then on until the next one.
CREATE FUNCTION windows_of_processor() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    was integer;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        was := OLD.version;
    ELSE
        SELECT p.version INTO was FROM public.processor_versions p
        WHERE p.organization_id = NEW.organization_id AND p.stage = NEW.stage AND p.effective_from < NEW.effective_from
        ORDER BY p.effective_from DESC LIMIT 1;
    END IF;
    IF coalesce(was, 1) = NEW.version THEN
        RETURN NULL;
    END IF;
    PERFORM public.windows_of_all(NEW.organization_id, NEW.effective_from, coalesce((
        SELECT min(p.effective_from) FROM public.processor_versions p
        WHERE p.organization_id = NEW.organization_id AND p.stage = NEW.stage
            AND p.effective_from > NEW.effective_from), 'infinity'), 'processor');
    PERFORM public.derivation_touch(NEW.organization_id);
    RETURN NULL;
END $$;
CREATE TRIGGER windows_of_processor AFTER INSERT OR UPDATE ON processor_versions
    FOR EACH ROW WHEN (NEW.stage = 'derive') EXECUTE FUNCTION windows_of_processor();

-- Another version in shadow, or none: what the one before it found goes.
CREATE FUNCTION shadow_of_flag() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    of_stage text := split_part(NEW.name, '.', 1);
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.value = OLD.value THEN
        RETURN NULL;
    END IF;
    DELETE FROM public.shadow_differences d WHERE d.organization_id = NEW.organization_id AND d.stage = of_stage;
    DELETE FROM public.shadows s WHERE s.organization_id = NEW.organization_id AND s.stage = of_stage;
    IF NEW.value <> 'null' THEN
        INSERT INTO public.shadows (organization_id, stage, version, since)
        VALUES (NEW.organization_id, of_stage, NEW.value::integer, NEW.updated_at);
    END IF;
    PERFORM public.derivation_touch(NEW.organization_id);
    RETURN NULL;
END $$;
CREATE TRIGGER shadow_of_flag AFTER INSERT OR UPDATE ON feature_flags
    FOR EACH ROW WHEN (NEW.name = 'derive.shadow') EXECUTE FUNCTION shadow_of_flag();

-- Have the version in shadow compared over a time that was derived before: all of it is derived again, which changes
-- nothing of the series. For the transaction's own organization.
CREATE FUNCTION shadow_compare(since timestamptz, until timestamptz) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT public.windows_of_all((SELECT public.current_organization()), since, until, 'shadow')
$$;

REVOKE ALL ON FUNCTION windows_of_all(integer, timestamptz, timestamptz, text), windows_of_processor(),
    shadow_of_flag(), shadow_compare(timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shadow_compare(timestamptz, timestamptz) TO argus_api;
