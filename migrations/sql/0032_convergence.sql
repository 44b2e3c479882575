-- The self-check of an installation: up to where it has come, how much it compared, and what it found.
CREATE TABLE convergence_progress (
    organization_id integer NOT NULL,
    -- Up to which entity; NULL: to the end, so that it begins again.
    last_entity_id uuid,
    checked_at timestamptz NOT NULL,
    CONSTRAINT pk_convergence_progress PRIMARY KEY (organization_id),
    CONSTRAINT fk_convergence_progress_organization FOREIGN KEY (organization_id) REFERENCES organizations (id)
);
CREATE TABLE convergence_checks (
    organization_id integer NOT NULL,
    of text NOT NULL,
    checks bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    -- Each once, however often it is seen.
    differences bigint NOT NULL DEFAULT 0,
    CONSTRAINT pk_convergence_checks PRIMARY KEY (organization_id, of),
    CONSTRAINT fk_convergence_checks_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_convergence_checks_of CHECK (of IN ('derived', 'events', 'states', 'rollups', 'health'))
);
CREATE TABLE convergence_differences (
    organization_id integer NOT NULL,
    of text NOT NULL,
    entity_id uuid NOT NULL,
    -- A metric, or a rule and perhaps a port.
    subject text NOT NULL,
    -- Event time.
    at timestamptz NOT NULL,
    stored text,
    computed text,
    -- From when on all has to be derived anew.
    since timestamptz NOT NULL,
    found_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    repaired_at timestamptz,
    CONSTRAINT pk_convergence_differences PRIMARY KEY (organization_id, of, entity_id, subject, at),
    CONSTRAINT fk_convergence_differences_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT ck_convergence_differences_of CHECK (of IN ('derived', 'events', 'states', 'rollups', 'health'))
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['convergence_progress', 'convergence_checks', 'convergence_differences'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY organization_wall ON %I TO argus_api, argus_pipeline'
            ' USING (organization_id = (SELECT current_organization()))'
            ' WITH CHECK (organization_id = (SELECT current_organization()))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO argus_pipeline', name);
    END LOOP;
END $$;

ALTER TABLE dirty_windows DROP CONSTRAINT ck_dirty_windows_reason;
ALTER TABLE dirty_windows ADD CONSTRAINT ck_dirty_windows_reason
    CHECK (reason IN ('readings', 'link', 'schema', 'type', 'replay', 'processor', 'shadow', 'attributes', 'hierarchy',
        'membership', 'rollup', 'rule', 'timer', 'profile', 'area', 'health', 'repair'));

CREATE FUNCTION convergence_state(OUT name text, OUT labels jsonb, OUT value double precision) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT m.name, jsonb_build_object('of', k.of), m.value
    FROM unnest(ARRAY['derived', 'events', 'states', 'rollups', 'health']) AS k (of)
    LEFT JOIN (
        SELECT c.of, sum(c.checks) AS checks, sum(c.skipped) AS skipped, sum(c.differences) AS differences
        FROM public.convergence_checks c GROUP BY c.of
    ) c ON c.of = k.of
    LEFT JOIN (
        SELECT d.of, count(*) AS standing FROM public.convergence_differences d WHERE d.repaired_at IS NULL GROUP BY d.of
    ) d ON d.of = k.of
    CROSS JOIN LATERAL (VALUES
        ('argus_convergence_checks_total', coalesce(c.checks, 0)::double precision),
        ('argus_convergence_skipped_total', coalesce(c.skipped, 0)::double precision),
        ('argus_convergence_differences_total', coalesce(c.differences, 0)::double precision),
        ('argus_convergence_differences_open', coalesce(d.standing, 0)::double precision)
    ) AS m (name, value)
$$;
REVOKE ALL ON FUNCTION convergence_state() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION convergence_state() TO argus_api;
