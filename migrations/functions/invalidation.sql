-- Invalidation: a change of links, types or definitions inserts dirty windows, in its own transaction, for whatever it
-- may have made wrong. docs/explanation/invalidation.md lists what invalidates what. Readings leave their windows
-- themselves (domain/pipeline/normalize). Windows begin and end where readings can: 1970 and 9999. Too many windows
-- cost time; one too few leaves a wrong result for good.

-- Raise the organization's derivation revision to its present one: whoever holds a dependency index of an older one
-- reads it again before use.
CREATE OR REPLACE FUNCTION derivation_revision_raise(organization integer) RETURNS void LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE public.graph_clocks SET derivation_revision = revision
    WHERE organization_id = organization AND derivation_revision < revision
$$;

-- Insert a window for an entity over each span of a multirange.
CREATE OR REPLACE FUNCTION windows_insert(organization integer, entity uuid, dirty tstzmultirange, why text)
    RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
    SELECT organization, entity, u.b, u.e, why
    FROM unnest(dirty) AS d (span)
    CROSS JOIN LATERAL (SELECT greatest(lower(d.span), '1970-01-01Z'::timestamptz) AS b,
        least(coalesce(upper(d.span), 'infinity'), '9999-01-01Z'::timestamptz) AS e) u
    WHERE u.b < u.e
$$;

-- Whether any version of a type's telemetry schema has formulas.
CREATE OR REPLACE FUNCTION type_derives(organization integer, of_kind text, of_type text) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM public.entity_types t
        JOIN public.telemetry_schemas s ON s.organization_id = t.organization_id AND s.entity_type_id = t.id
        WHERE t.organization_id = organization AND t.kind = of_kind AND t.name = of_type AND s.schema ? 'derived')
$$;

-- Whether a word occurs in the formulas of any version of a type's telemetry schema. Coarse: may be true where nothing
-- is read, never false where something is.
CREATE OR REPLACE FUNCTION type_reads(organization integer, of_kind text, of_type text, word text) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM public.entity_types t
        JOIN public.telemetry_schemas s ON s.organization_id = t.organization_id AND s.entity_type_id = t.id
        WHERE t.organization_id = organization AND t.kind = of_kind AND t.name = of_type
            AND strpos((s.schema -> 'derived')::text, word) > 0)
$$;

-- The same of the formulas of an asset profile.
CREATE OR REPLACE FUNCTION profile_reads(organization integer, profile uuid, word text) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM public.asset_profile_versions v
        WHERE v.organization_id = organization AND v.profile_id = profile
            AND strpos((v.content -> 'formulas')::text, word) > 0)
$$;

-- Whether an organization has anything besides formulas that follows from points: rules, rollups, health.
CREATE OR REPLACE FUNCTION organization_has_consumers(organization integer) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM public.rules r WHERE r.organization_id = organization)
        OR EXISTS (SELECT FROM public.rollups u WHERE u.organization_id = organization)
        OR EXISTS (SELECT FROM public.assets a WHERE a.organization_id = organization AND a.profile_id IS NOT NULL)
$$;

-- Insert a window over [since, until) for every entity that derives by its type or its profile; returns how many.
CREATE OR REPLACE FUNCTION invalidate_all(organization integer, since timestamptz, until timestamptz, why text)
    RETURNS bigint LANGUAGE sql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
    WITH noted AS (
        INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
        SELECT organization, d.id, u.b, u.e, why
        FROM (SELECT greatest(since, '1970-01-01Z'::timestamptz) AS b,
            least(until, '9999-01-01Z'::timestamptz) AS e) u
        CROSS JOIN (
            SELECT e.id
            FROM public.entity_types t
            JOIN public.entities e ON e.organization_id = t.organization_id AND e.kind = t.kind AND e.type = t.name
            WHERE t.organization_id = organization AND EXISTS (
                SELECT FROM public.telemetry_schemas s
                WHERE s.organization_id = t.organization_id AND s.entity_type_id = t.id AND s.schema ? 'derived')
            UNION
            SELECT a.id
            FROM public.assets a
            WHERE a.organization_id = organization AND EXISTS (
                SELECT FROM public.asset_profile_versions v
                WHERE v.organization_id = a.organization_id AND v.profile_id = a.profile_id
                    AND v.content -> 'formulas' <> '{}'::jsonb)
        ) d
        WHERE u.b < u.e
        RETURNING 1
    )
    SELECT count(*) FROM noted
$$;

-- A link of a device is recorded, ended, moved or retracted: its source, over the time that differs.
CREATE OR REPLACE FUNCTION invalidate_on_link() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    dirty tstzmultirange;
    source record;
BEGIN
    SELECT e.kind, e.type INTO source FROM public.entities e
    WHERE e.organization_id = NEW.organization_id AND e.id = NEW.source_id;
    IF NOT public.organization_has_consumers(NEW.organization_id)
            AND NOT public.type_derives(NEW.organization_id, source.kind, source.type) THEN
        RETURN NULL;
    END IF;
    -- Last, for it takes the longest.
    dirty := public.edge_difference(NEW, TG_OP = 'INSERT');
    IF dirty IS NOT NULL THEN
        PERFORM public.windows_insert(NEW.organization_id, NEW.source_id, dirty, 'link');
        PERFORM public.derivation_revision_raise(NEW.organization_id);
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS invalidate_on_link ON entity_edges;
CREATE CONSTRAINT TRIGGER invalidate_on_link AFTER INSERT OR UPDATE OF recorded ON entity_edges
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.relationship IN ('MONITORED_BY', 'CONTROLLED_BY')) EXECUTE FUNCTION invalidate_on_link();

-- An edge by which one entity is below another changes: both ends, over the time that differs. The target of an
-- activity is no such edge: it changes nothing of what is measured there.
CREATE OR REPLACE FUNCTION invalidate_on_hierarchy() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    dirty tstzmultirange;
BEGIN
    IF NEW.relationship = 'TARGETS' OR NOT public.organization_has_consumers(NEW.organization_id) THEN
        RETURN NULL;
    END IF;
    IF NEW.relationship NOT IN ('LOCATED_IN', 'MONITORED_BY', 'CONTROLLED_BY') AND NOT EXISTS (
        SELECT FROM public.relationships r
        WHERE r.organization_id = NEW.organization_id AND r.name = NEW.relationship AND r.hierarchy
    ) THEN
        RETURN NULL;
    END IF;
    dirty := public.edge_difference(NEW, TG_OP = 'INSERT');
    IF dirty IS NOT NULL THEN
        PERFORM public.windows_insert(NEW.organization_id, NEW.source_id, dirty, 'hierarchy');
        PERFORM public.windows_insert(NEW.organization_id, NEW.target_id, dirty, 'hierarchy');
        PERFORM public.derivation_revision_raise(NEW.organization_id);
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS invalidate_on_hierarchy ON entity_edges;
CREATE CONSTRAINT TRIGGER invalidate_on_hierarchy AFTER INSERT OR UPDATE OF recorded ON entity_edges
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invalidate_on_hierarchy();

-- A version of a telemetry schema changes the formulas of a type: its entities, from then until the next version.
CREATE OR REPLACE FUNCTION invalidate_on_schema_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
    SELECT e.organization_id, e.id, u.begins, u.ends, 'schema'
    FROM (SELECT greatest(at.effective_from, '1970-01-01Z'::timestamptz) AS begins, least(coalesce((
            SELECT min(s.effective_from) FROM public.telemetry_schemas s
            WHERE s.organization_id = at.organization_id AND s.entity_type_id = at.entity_type_id
                AND s.effective_from > at.effective_from), 'infinity'), '9999-01-01Z'::timestamptz) AS ends) u
    JOIN public.entity_types t ON t.organization_id = at.organization_id AND t.id = at.entity_type_id
    JOIN public.entities e ON e.organization_id = t.organization_id AND e.kind = t.kind AND e.type = t.name
    WHERE u.begins < u.ends;
    PERFORM public.derivation_revision_raise(at.organization_id);
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER invalidate_on_schema_version AFTER INSERT OR DELETE OR UPDATE ON telemetry_schemas
    FOR EACH ROW EXECUTE FUNCTION invalidate_on_schema_version();

-- An entity gets another type: all of time.
CREATE OR REPLACE FUNCTION invalidate_on_type() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.kind IN ('DEVICE', 'ASSET', 'SPACE') AND (
        public.type_derives(NEW.organization_id, NEW.kind, OLD.type)
            OR public.type_derives(NEW.organization_id, NEW.kind, NEW.type)
            OR public.organization_has_consumers(NEW.organization_id)
    ) THEN
        INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
        VALUES (NEW.organization_id, NEW.id, '1970-01-01Z', '9999-01-01Z', 'type');
        PERFORM public.derivation_revision_raise(NEW.organization_id);
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER invalidate_on_type AFTER UPDATE OF type ON entities
    FOR EACH ROW WHEN (OLD.type IS DISTINCT FROM NEW.type) EXECUTE FUNCTION invalidate_on_type();

-- An entity gets another type, or another weight in a rollup. A type counts for all of time; a weight from the instant
-- at which it was recorded, and for all of time where it is the first that was recorded of the entity.
CREATE OR REPLACE FUNCTION invalidate_on_membership() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    since timestamptz;
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.rollups u
        WHERE u.organization_id = NEW.organization_id AND (OLD.type IS DISTINCT FROM NEW.type
            OR OLD.attributes -> (u.definition ->> 'attribute') IS DISTINCT FROM
                NEW.attributes -> (u.definition ->> 'attribute'))
    ) THEN
        RETURN NULL;
    END IF;
    IF OLD.type IS NOT DISTINCT FROM NEW.type THEN
        SELECT k.last_recorded INTO since FROM public.graph_clocks k
        WHERE k.organization_id = NEW.organization_id AND EXISTS (
            SELECT FROM public.changes c
            WHERE c.organization_id = NEW.organization_id AND c.subject_id = NEW.id AND c.subject_type = 'entity'
                AND c.after IS NOT NULL AND c.recorded_at < k.last_recorded);
    END IF;
    INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
    VALUES (NEW.organization_id, NEW.id, coalesce(since, '1970-01-01Z'), '9999-01-01Z', 'hierarchy');
    PERFORM public.derivation_revision_raise(NEW.organization_id);
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER invalidate_on_membership AFTER UPDATE OF type, attributes ON entities
    FOR EACH ROW WHEN ((OLD.type, OLD.attributes) IS DISTINCT FROM (NEW.type, NEW.attributes))
    EXECUTE FUNCTION invalidate_on_membership();

-- Attributes change that a formula reads: they count from the instant at which they were recorded.
CREATE OR REPLACE FUNCTION invalidate_on_attributes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF public.type_reads(NEW.organization_id, NEW.kind, NEW.type, 'attributes') OR EXISTS (
        SELECT FROM public.assets a
        WHERE a.organization_id = NEW.organization_id AND a.id = NEW.id
            AND public.profile_reads(a.organization_id, a.profile_id, 'attributes')
    ) THEN
        INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
        SELECT NEW.organization_id, NEW.id, c.last_recorded, '9999-01-01Z', 'attributes'
        FROM public.graph_clocks c WHERE c.organization_id = NEW.organization_id;
        PERFORM public.derivation_revision_raise(NEW.organization_id);
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER invalidate_on_attributes AFTER UPDATE OF attributes ON entities
    FOR EACH ROW WHEN (OLD.attributes IS DISTINCT FROM NEW.attributes) EXECUTE FUNCTION invalidate_on_attributes();

-- The area of a space, by which formulas may ask where something is, is created, changed or deleted: every entity with
-- such a formula, for all of time.
CREATE OR REPLACE FUNCTION invalidate_on_area() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    noted bigint;
BEGIN
    WITH windows AS (
        INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
        SELECT NEW.organization_id, u.id, '1970-01-01Z', '9999-01-01Z', 'area'
        FROM (
            SELECT e.id
            FROM public.entity_types t
            JOIN public.entities e ON e.organization_id = t.organization_id AND e.kind = t.kind AND e.type = t.name
            WHERE t.organization_id = NEW.organization_id
                AND public.type_reads(t.organization_id, t.kind, t.name, 'inArea')
            UNION
            SELECT a.id
            FROM public.asset_profiles p
            JOIN public.assets a ON a.organization_id = p.organization_id AND a.profile_id = p.id
            WHERE p.organization_id = NEW.organization_id AND public.profile_reads(p.organization_id, p.id, 'inArea')
        ) u
        RETURNING 1
    )
    SELECT count(*) INTO noted FROM windows;
    IF noted > 0 THEN
        PERFORM public.derivation_revision_raise(NEW.organization_id);
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER invalidate_on_area_created AFTER INSERT ON entities
    FOR EACH ROW WHEN (NEW.kind = 'SPACE' AND NEW.geometry IS NOT NULL AND NEW.external_id IS NOT NULL)
    EXECUTE FUNCTION invalidate_on_area();
CREATE OR REPLACE TRIGGER invalidate_on_area_changed AFTER UPDATE OF geometry, external_id, deleted_at ON entities
    FOR EACH ROW WHEN (NEW.kind = 'SPACE' AND (OLD.geometry, OLD.external_id, OLD.deleted_at)
        IS DISTINCT FROM (NEW.geometry, NEW.external_id, NEW.deleted_at))
    EXECUTE FUNCTION invalidate_on_area();

-- An entity is deleted or restored: from its deletion on.
CREATE OR REPLACE FUNCTION invalidate_on_deletion() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF public.organization_has_consumers(NEW.organization_id) THEN
        INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
        VALUES (NEW.organization_id, NEW.id, least(OLD.deleted_at, NEW.deleted_at), '9999-01-01Z', 'rule');
        PERFORM public.derivation_revision_raise(NEW.organization_id);
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER invalidate_on_deletion AFTER UPDATE OF deleted_at ON entities
    FOR EACH ROW WHEN (OLD.deleted_at IS DISTINCT FROM NEW.deleted_at AND NEW.kind IN ('DEVICE', 'ASSET', 'SPACE'))
    EXECUTE FUNCTION invalidate_on_deletion();

-- An entity is created: from then on, where a rule counts those of which nothing has ever come.
CREATE OR REPLACE FUNCTION invalidate_on_creation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM public.rule_versions v WHERE v.organization_id = NEW.organization_id
            AND jsonb_path_exists(v.condition, '$.**.everHeard ? (@ == false)')) THEN
        INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
        VALUES (NEW.organization_id, NEW.id, NEW.created_at, '9999-01-01Z', 'rule');
        PERFORM public.derivation_revision_raise(NEW.organization_id);
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER invalidate_on_creation AFTER INSERT ON entities
    FOR EACH ROW WHEN (NEW.kind IN ('DEVICE', 'ASSET', 'SPACE')) EXECUTE FUNCTION invalidate_on_creation();

-- A version of an asset profile: the assets that use it, from then until the next version.
CREATE OR REPLACE FUNCTION invalidate_on_profile_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
    SELECT a.organization_id, a.id, u.begins, u.ends, 'profile'
    FROM (SELECT greatest(NEW.effective_from, '1970-01-01Z'::timestamptz) AS begins, least(coalesce((
            SELECT min(v.effective_from) FROM public.asset_profile_versions v
            WHERE v.organization_id = NEW.organization_id AND v.profile_id = NEW.profile_id
                AND v.effective_from > NEW.effective_from), 'infinity'), '9999-01-01Z'::timestamptz) AS ends) u
    JOIN public.assets a ON a.organization_id = NEW.organization_id AND a.profile_id = NEW.profile_id
    WHERE u.begins < u.ends;
    PERFORM public.derivation_revision_raise(NEW.organization_id);
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER invalidate_on_profile_version AFTER INSERT ON asset_profile_versions
    FOR EACH ROW EXECUTE FUNCTION invalidate_on_profile_version();

-- An asset gets another profile, or none: all of time.
CREATE OR REPLACE FUNCTION invalidate_on_profile_assignment() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
    VALUES (NEW.organization_id, NEW.id, '1970-01-01Z', '9999-01-01Z', 'profile');
    PERFORM public.derivation_revision_raise(NEW.organization_id);
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER invalidate_on_profile_assignment AFTER UPDATE OF profile_id ON assets
    FOR EACH ROW WHEN (OLD.profile_id IS DISTINCT FROM NEW.profile_id)
    EXECUTE FUNCTION invalidate_on_profile_assignment();

-- A version of a rule: every entity that was in the scope of any version of the rule, from then until the next version.
-- What is, or ever was, below an entity is taken whatever the time.
CREATE OR REPLACE FUNCTION invalidate_on_rule_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
    WITH RECURSIVE versions AS (
        SELECT v.* FROM public.rule_versions v
        WHERE v.organization_id = NEW.organization_id AND v.rule_id = NEW.rule_id
        UNION ALL
        -- The version whose place another one takes.
        SELECT (OLD).* WHERE TG_OP = 'UPDATE'
    ), below (id) AS (
        SELECT v.under_id FROM versions v WHERE v.under_id IS NOT NULL
        UNION
        SELECT next.id FROM below b CROSS JOIN LATERAL (
            SELECT e.target_id FROM public.entity_edges e
            WHERE e.organization_id = NEW.organization_id AND e.source_id = b.id
                AND (e.relationship IN ('MONITORED_BY', 'CONTROLLED_BY') OR e.relationship IN (
                    SELECT r.name FROM public.relationships r
                    WHERE r.organization_id = NEW.organization_id AND r.hierarchy))
            UNION ALL
            SELECT e.source_id FROM public.entity_edges e
            WHERE e.organization_id = NEW.organization_id AND e.target_id = b.id AND e.relationship = 'LOCATED_IN'
        ) AS next (id)
    ), users AS (
        SELECT a.id FROM public.assets a
        WHERE a.organization_id = NEW.organization_id AND a.profile_id IN (SELECT v.profile_id FROM versions v)
    ), members AS (
        SELECT m.entity_id FROM public.group_members m
        WHERE m.organization_id = NEW.organization_id AND m.group_id IN (SELECT v.group_id FROM versions v)
    )
    SELECT e.organization_id, e.id, u.begins, u.ends, 'rule'
    FROM (SELECT greatest(NEW.effective_from, '1970-01-01Z'::timestamptz) AS begins, least(coalesce((
            SELECT min(v.effective_from) FROM versions v WHERE v.effective_from > NEW.effective_from),
            'infinity'), '9999-01-01Z'::timestamptz) AS ends) u
    JOIN public.entities e ON e.organization_id = NEW.organization_id AND e.kind IN ('DEVICE', 'ASSET', 'SPACE')
    WHERE u.begins < u.ends AND (e.id IN (SELECT a.id FROM users a) OR e.id IN (SELECT m.entity_id FROM members m)
        OR EXISTS (
        SELECT FROM versions v WHERE v.entity_id = e.id
            OR (v.type = e.type AND v.kind = e.kind)
            OR (v.under_id IS NOT NULL AND e.id IN (SELECT b.id FROM below b))
            OR num_nonnulls(v.entity_id, v.type, v.under_id, v.profile_id, v.group_id) = 0));
    PERFORM public.derivation_revision_raise(NEW.organization_id);
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER invalidate_on_rule_version AFTER INSERT OR UPDATE ON rule_versions
    FOR EACH ROW EXECUTE FUNCTION invalidate_on_rule_version();

-- An entity is a member of a group at other times than before: the time that differs, as far as any version of a rule
-- about the group is or was in force.
CREATE OR REPLACE FUNCTION invalidate_on_group_member() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    member public.group_members;
    was tstzmultirange := '{}';
    since timestamptz;
BEGIN
    member := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    SELECT min(v.effective_from) INTO since FROM public.rule_versions v
    WHERE v.organization_id = member.organization_id AND v.group_id = member.group_id;
    IF since IS NULL THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        was := OLD.valid;
    END IF;
    PERFORM public.windows_insert(member.organization_id, member.entity_id,
        ((member.valid - was) + (was - member.valid)) * tstzmultirange(tstzrange(since, NULL)), 'rule');
    PERFORM public.derivation_revision_raise(member.organization_id);
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER invalidate_on_group_member AFTER INSERT OR UPDATE OR DELETE ON group_members
    FOR EACH ROW EXECUTE FUNCTION invalidate_on_group_member();

-- Another version of the derive stage is in force: every entity that derives, from then until the next promotion.
CREATE OR REPLACE FUNCTION invalidate_on_processor_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
    PERFORM public.invalidate_all(NEW.organization_id, NEW.effective_from, coalesce((
        SELECT min(p.effective_from) FROM public.processor_versions p
        WHERE p.organization_id = NEW.organization_id AND p.stage = NEW.stage
            AND p.effective_from > NEW.effective_from), 'infinity'), 'processor');
    PERFORM public.derivation_revision_raise(NEW.organization_id);
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER invalidate_on_processor_version AFTER INSERT OR UPDATE ON processor_versions
    FOR EACH ROW WHEN (NEW.stage = 'derive') EXECUTE FUNCTION invalidate_on_processor_version();

-- Another version runs in shadow, or none: what the one before found is deleted.
CREATE OR REPLACE FUNCTION shadow_restart() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
    PERFORM public.derivation_revision_raise(NEW.organization_id);
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER shadow_restart AFTER INSERT OR UPDATE ON feature_flags
    FOR EACH ROW WHEN (NEW.name = 'derive.shadow') EXECUTE FUNCTION shadow_restart();

-- Have the version in shadow compared over a past time, for the transaction's organization: all of it is derived again,
-- which leaves the series as they are.
CREATE OR REPLACE FUNCTION shadow_compare(since timestamptz, until timestamptz) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT public.invalidate_all((SELECT public.current_organization()), since, until, 'shadow')
$$;

-- A rollup is created, changed or deleted: dependencies change. Its buckets are invalidated by whoever changes it.
CREATE OR REPLACE FUNCTION invalidate_on_rollup() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM public.derivation_revision_raise(NEW.organization_id);
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER invalidate_on_rollup AFTER INSERT OR UPDATE ON rollups
    FOR EACH ROW EXECUTE FUNCTION invalidate_on_rollup();

REVOKE ALL ON FUNCTION derivation_revision_raise(integer), windows_insert(integer, uuid, tstzmultirange, text),
    type_derives(integer, text, text), type_reads(integer, text, text, text), profile_reads(integer, uuid, text),
    organization_has_consumers(integer), invalidate_all(integer, timestamptz, timestamptz, text), invalidate_on_link(),
    invalidate_on_hierarchy(), invalidate_on_schema_version(), invalidate_on_type(), invalidate_on_membership(),
    invalidate_on_attributes(), invalidate_on_area(), invalidate_on_creation(), invalidate_on_deletion(),
    invalidate_on_profile_version(),
    invalidate_on_profile_assignment(), invalidate_on_rule_version(), invalidate_on_group_member(), invalidate_on_processor_version(),
    shadow_restart(), shadow_compare(timestamptz, timestamptz), invalidate_on_rollup()
    FROM PUBLIC, argus_api, argus_ingest, argus_pipeline;
GRANT EXECUTE ON FUNCTION shadow_compare(timestamptz, timestamptz) TO argus_api;
