-- What profiles say is derived and judged: their formulas are those of the assets that use them, their rules judge these
-- assets, and each of these assets has a health.

-- As before, and whether any asset uses a profile.
CREATE OR REPLACE FUNCTION organization_watches(organization integer) RETURNS boolean LANGUAGE sql STABLE
    SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM public.rules r WHERE r.organization_id = organization)
        OR EXISTS (SELECT FROM public.rollups u WHERE u.organization_id = organization)
        OR EXISTS (SELECT FROM public.assets a WHERE a.organization_id = organization AND a.profile_id IS NOT NULL)
$$;

-- A version of a profile: from it on until the next one, at all assets that use the profile.
CREATE FUNCTION windows_of_profile() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
    PERFORM public.derivation_touch(NEW.organization_id);
    RETURN NULL;
END $$;
CREATE TRIGGER windows_of_profile AFTER INSERT ON asset_profile_versions
    FOR EACH ROW EXECUTE FUNCTION windows_of_profile();

-- An asset that uses another profile, or none any more: it counts for all of event time.
CREATE FUNCTION windows_of_profile_used() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
    VALUES (NEW.organization_id, NEW.id, '1970-01-01Z', '9999-01-01Z', 'profile');
    PERFORM public.derivation_touch(NEW.organization_id);
    RETURN NULL;
END $$;
CREATE TRIGGER windows_of_profile_used AFTER UPDATE OF profile_id ON assets
    FOR EACH ROW WHEN (OLD.profile_id IS DISTINCT FROM NEW.profile_id) EXECUTE FUNCTION windows_of_profile_used();

-- Whether a formula of any version of a profile has this word in it: coarse, and never wrong the other way.
CREATE FUNCTION profile_reads(organization integer, profile uuid, word text) RETURNS boolean LANGUAGE sql STABLE
    SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM public.asset_profile_versions v
        WHERE v.organization_id = organization AND v.profile_id = profile
            AND strpos((v.content -> 'formulas')::text, word) > 0)
$$;

-- As before, and where a formula of the asset's profile reads attributes.
CREATE OR REPLACE FUNCTION windows_of_attributes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
        PERFORM public.derivation_touch(NEW.organization_id);
    END IF;
    RETURN NULL;
END $$;

-- As before, and at the assets of which a profile's formula may ask for an area.
CREATE OR REPLACE FUNCTION windows_of_area() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
        PERFORM public.derivation_touch(NEW.organization_id);
    END IF;
    RETURN NULL;
END $$;

-- A rule may be about the assets of a profile. A rule that a profile says is the profile's own.
ALTER TABLE rules ADD COLUMN profile_id uuid;
ALTER TABLE rules ADD CONSTRAINT fk_rules_profile FOREIGN KEY (organization_id, profile_id)
    REFERENCES asset_profiles (organization_id, id);
CREATE INDEX ix_rules_profile ON rules (organization_id, profile_id) WHERE profile_id IS NOT NULL;
ALTER TABLE rule_versions ADD COLUMN profile_id uuid;
ALTER TABLE rule_versions ADD CONSTRAINT fk_rule_versions_profile FOREIGN KEY (organization_id, profile_id)
    REFERENCES asset_profiles (organization_id, id);
ALTER TABLE rule_versions DROP CONSTRAINT ck_rule_versions_scope;
ALTER TABLE rule_versions ADD CONSTRAINT ck_rule_versions_scope
    CHECK (num_nonnulls(entity_id, type, under_id, profile_id) <= 1);

-- As before, and the assets of a profile.
CREATE OR REPLACE FUNCTION windows_of_rule() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.dirty_windows (organization_id, entity_id, begins, ends, reason)
    WITH RECURSIVE versions AS (
        SELECT v.* FROM public.rule_versions v
        WHERE v.organization_id = NEW.organization_id AND v.rule_id = NEW.rule_id
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
    )
    SELECT e.organization_id, e.id, u.begins, u.ends, 'rule'
    FROM (SELECT greatest(NEW.effective_from, '1970-01-01Z'::timestamptz) AS begins, least(coalesce((
            SELECT min(v.effective_from) FROM versions v WHERE v.effective_from > NEW.effective_from),
            'infinity'), '9999-01-01Z'::timestamptz) AS ends) u
    JOIN public.entities e ON e.organization_id = NEW.organization_id AND e.kind IN ('DEVICE', 'ASSET', 'SPACE')
    WHERE u.begins < u.ends AND (e.id IN (SELECT a.id FROM users a) OR EXISTS (
        SELECT FROM versions v WHERE v.entity_id = e.id
            OR (v.type = e.type AND v.kind = e.kind)
            OR (v.under_id IS NOT NULL AND e.id IN (SELECT b.id FROM below b))
            OR num_nonnulls(v.entity_id, v.type, v.under_id, v.profile_id) = 0));
    PERFORM public.derivation_touch(NEW.organization_id);
    RETURN NULL;
END $$;

ALTER TABLE dirty_windows DROP CONSTRAINT ck_dirty_windows_reason;
ALTER TABLE dirty_windows ADD CONSTRAINT ck_dirty_windows_reason
    CHECK (reason IN ('readings', 'link', 'schema', 'type', 'replay', 'processor', 'shadow', 'attributes', 'hierarchy',
        'membership', 'rollup', 'rule', 'timer', 'profile', 'area', 'health'));

-- The pipeline has to know where work waits.
CREATE POLICY pipeline_lists ON health_timers FOR SELECT TO argus_pipeline USING (true);

REVOKE ALL ON FUNCTION windows_of_profile(), windows_of_profile_used(), profile_reads(integer, uuid, text) FROM PUBLIC;
